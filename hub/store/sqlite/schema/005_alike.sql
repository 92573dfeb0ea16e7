-- No two applications of an office carry one registration number, unless a hub
-- or a PC was set back, a disk copied or a number typed by hand. The index finds
-- those that do, without reading the bookings.
CREATE INDEX booking_by_number ON booking (office, number) WHERE number <> '';
