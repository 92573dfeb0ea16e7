package spclep

// The rows of a bundle, as they stand in its files. docs/rules.md describes
// each for the people who write them; the decoder in decode.go reads the tags.

// bundleFormat is the shape of the files; a bundle of another format is refused.
const bundleFormat = 1

// pos is where a row stands, for errors found after reading.
type pos struct {
	file string
	line int
	path string
}

// meta is what every row that varies carries. Until is exclusive.
type meta struct {
	Rule   string `yaml:"rule"`
	Source string `yaml:"source"`
	Status string `yaml:"status"`
	Note   string `yaml:"note"`
	Raw    string `yaml:"raw"`
	Since  Day    `yaml:"since"`
	Until  Day    `yaml:"until"`
	at     pos
}

func (m meta) validOn(d Day) bool {
	return (m.Since == 0 || m.Since <= d) && (m.Until == 0 || d < m.Until)
}

// overlaps says whether two rows are valid on a common day.
func (m meta) overlaps(o meta) bool {
	return (m.Until == 0 || o.Since == 0 || o.Since < m.Until) && (o.Until == 0 || m.Since == 0 || m.Since < o.Until)
}

func (m meta) status() string {
	if m.Status == "" {
		return Confirmed
	}
	return m.Status
}

// headRow is the document that numbers the bundle.
type headRow struct {
	Bundle  int        `yaml:"bundle,required"`
	Format  int        `yaml:"format,required"`
	Issued  Day        `yaml:"issued,required"`
	Note    string     `yaml:"note"`
	Offices []OfficeID `yaml:"offices,required"`
	at      pos
}

// layerRow is one layer: the nation, a county or an office.
type layerRow struct {
	Layer          string         `yaml:"layer,required"`
	ID             string         `yaml:"id"`
	Name           string         `yaml:"name"`
	Address        contactRows    `yaml:"address"`
	Phone          contactRows    `yaml:"phone"`
	County         string         `yaml:"county"`
	Code           int            `yaml:"code"`
	Links          []Link         `yaml:"links"`
	Settings       []settingRow   `yaml:"settings"`
	Hours          []hoursRow     `yaml:"hours"`
	Days           []dayRow       `yaml:"days"`
	Holidays       []holidayRow   `yaml:"holidays"`
	Products       []productRow   `yaml:"products"`
	Reasons        []reasonRow    `yaml:"reasons"`
	Offers         []offerRow     `yaml:"offers"`
	Questions      []questionRow  `yaml:"questions"`
	Checklists     []checklistRow `yaml:"checklists"`
	AddressProofs  []altRow       `yaml:"address_proofs"`
	Forms          []formRow      `yaml:"forms"`
	Fees           []feeRow       `yaml:"fees"`
	Places         []placeRow     `yaml:"places"`
	Terms          []termRow      `yaml:"terms"`
	Ages           []ageRow       `yaml:"ages"`
	Collectors     []collectorRow `yaml:"collectors"`
	Grounds        []groundRow    `yaml:"cancel_grounds"`
	Contradictions []openRow      `yaml:"contradictions"`
	Gaps           []openRow      `yaml:"gaps"`
	at             pos
}

// settingRow is setting(key, scope, value, from, to, source, status).
type settingRow struct {
	Key     string  `yaml:"key,required"`
	Value   *int    `yaml:"value,required,null"`
	Product Product `yaml:"product"`
	Reason  Reason  `yaml:"reason"`
	meta
}

type hoursRow struct {
	Kind string `yaml:"kind,required"`
	Days []int  `yaml:"days,required"` // 1 Monday to 7 Sunday
	From Minute `yaml:"from,required"`
	To   Minute `yaml:"to,required"`
	meta
}

// dayRow closes a span of days, or opens a recovered working Saturday.
type dayRow struct {
	Day   Day    `yaml:"day,required"`
	Last  Day    `yaml:"last"` // inclusive
	Kind  string `yaml:"kind,required"`
	As    int    `yaml:"as"` // hours of which weekday, for a working day
	Title string `yaml:"title,required"`
	meta
}

// holidayRow is a day of each year: fixed, or counted from Orthodox Easter.
type holidayRow struct {
	Title  string `yaml:"title,required"`
	Month  int    `yaml:"month"`
	Day    int    `yaml:"day"`
	Easter *int   `yaml:"easter"`
	meta
}

type productRow struct {
	Code   Product `yaml:"code,required"`
	Title  string  `yaml:"title,required"`
	Family string  `yaml:"family,required"`
	Proxy  bool    `yaml:"proxy"` // may be asked for by power of attorney (X05)
	Under  int     `yaml:"under"` // made for persons under this age
	meta
}

type reasonRow struct {
	Code     Reason       `yaml:"code,required"`
	Short    string       `yaml:"short,required"`
	Title    string       `yaml:"title,required"`
	Bookable bool         `yaml:"bookable,required"`
	Booking  meta         `yaml:"booking"` // what says so, where it is not the row itself
	Products []choiceRow  `yaml:"products"`
	Birth    bool         `yaml:"birth"` // the birth date is asked
	Age      *ageRangeRow `yaml:"age"`
	meta
}

// choiceRow is a product of a reason; without Product in the Ask, the first
// whose condition holds is taken.
type choiceRow struct {
	Code     Product `yaml:"code,required"`
	If       cond    `yaml:"if"`
	LastDays int     `yaml:"last_days"` // in so many days before the upper age of the reason
	at       pos
}

type ageRangeRow struct {
	From  int `yaml:"from"`
	Under int `yaml:"under"`
	at    pos
}

// offerRow says that an office offers a reason, and whose list it shows.
type offerRow struct {
	Reason Reason   `yaml:"reason,required"`
	Use    *listRef `yaml:"use"`
	meta
}

type listRef struct {
	Layer  string   `yaml:"layer,required"` // "national" or an office's id
	Reason Reason   `yaml:"reason,required"`
	Only   []string `yaml:"only"`
	at     pos
}

type questionRow struct {
	Key     string      `yaml:"key,required"`
	Title   string      `yaml:"title,required"`
	Kind    string      `yaml:"kind,required"`
	Options []optionRow `yaml:"options"`
	Yes     string      `yaml:"yes"` // why a paper is asked when the answer is yes
	No      string      `yaml:"no"`
	Default string      `yaml:"default"`
	meta
}

type optionRow struct {
	Value string `yaml:"value,required"`
	Title string `yaml:"title,required"`
	Alias string `yaml:"alias"` // stolen=yes also means damage=stolen
	at    pos
}

type checklistRow struct {
	Reason Reason    `yaml:"reason,required"`
	Items  []itemRow `yaml:"items,required"`
	Assume cond      `yaml:"assume"` // answers that are fixed for this list
	Notes  []noteRow `yaml:"notes"`
	meta
}

type itemRow struct {
	ID           string   `yaml:"id"`
	Include      *listRef `yaml:"include"`
	Title        string   `yaml:"title"`
	Also         []string `yaml:"also"` // further papers of the row: id-2, id-3
	Form         Form     `yaml:"form"`
	Quantity     int      `yaml:"quantity"`
	If           cond     `yaml:"if"`
	OptionalIf   cond     `yaml:"optional_if"`
	IfApplicable bool     `yaml:"if_applicable"`
	When         string   `yaml:"when"`
	Receipt      bool     `yaml:"receipt"` // asked only where a fee is due
	OneOf        []altRow `yaml:"one_of"`
	AddressProof bool     `yaml:"address_proof"` // or one of the office's proofs of address
	Ask          string   `yaml:"ask"`           // the question that picks the alternative
	meta
}

type altRow struct {
	ID     string   `yaml:"id,required"`
	Answer string   `yaml:"answer"`
	Title  string   `yaml:"title,required"`
	Also   []string `yaml:"also"` // papers that go with it
	Form   Form     `yaml:"form"`
	MaxAge int      `yaml:"max_age_days"`
	meta
}

type noteRow struct {
	Code string `yaml:"code,required"`
	Say  string `yaml:"say,required"`
	Text string `yaml:"text,required"`
	If   cond   `yaml:"if"`
	meta
}

// formRow changes the form of papers for some families of cards (X06).
type formRow struct {
	Families []string `yaml:"families,required"`
	Replace  Form     `yaml:"replace,required"`
	With     Form     `yaml:"with,required"`
	meta
}

type feeRow struct {
	Product Product `yaml:"product,required"`
	Bani    *int    `yaml:"bani,required,null"`
	meta
}

type placeRow struct {
	ID       string   `yaml:"id,required"`
	Title    string   `yaml:"title,required"`
	Families []string `yaml:"families,required"`
	meta
}

type termRow struct {
	Key      string   `yaml:"key,required"`
	N        int      `yaml:"n,required"`
	Max      int      `yaml:"max"` // for an estimate: n to max
	Unit     string   `yaml:"unit,required"`
	Families []string `yaml:"families"` // none: all
	meta
}

type ageRow struct {
	ID           string   `yaml:"id,required"`
	From         int      `yaml:"from,required"`
	Under        int      `yaml:"under"`
	LastDays     int      `yaml:"last_days"`
	Reason       Reason   `yaml:"reason"`
	Signs        string   `yaml:"signs,required"`
	Attends      string   `yaml:"attends,required"`
	Fingerprints string   `yaml:"fingerprints,required"`
	Cards        []string `yaml:"cards"`
	meta
}

// collectorRow says who may take a card of a person of an age.
type collectorRow struct {
	To    string `yaml:"to,required"`
	Title string `yaml:"title,required"`
	From  int    `yaml:"from"`
	Under int    `yaml:"under"`
	meta
}

type groundRow struct {
	Ground string `yaml:"ground,required"`
	Title  string `yaml:"title,required"`
	Off    bool   `yaml:"off"`
	meta
}

// openRow is a contradiction between sources (X) or a gap they leave (G).
type openRow struct {
	ID    string `yaml:"id,required"`
	Title string `yaml:"title,required"`
	Held  string `yaml:"held,required"` // how this bundle holds it
	meta
}
