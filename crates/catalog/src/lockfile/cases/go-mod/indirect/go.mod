module h.test/own

go 1.21

require h.test/server v4.1.0+incompatible

require (
	h.test/client v0.21.4 // indirect
	h.test/other v1.0.0 // indirect; for tests
	h.test/third v1.0.0 // not indirect
)
