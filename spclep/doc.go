// Package spclep is the office: its nouns (Booking, Visit, Checklist, Fee,
// Term, Calendar) and its rules, which come as one numbered Reference. It
// answers what an office would answer - which papers, what fee, which slots,
// may this card be handed to this person - and names the rule behind each
// answer. It reads no clock, opens no file or socket, and keeps no state: the
// day, the facts and the bundle are always arguments.
//
// Rule ids (B16, R01.8, F01, T04, X05, ...) are the ones of docs/rules.md,
// where each stands with its source.
package spclep
