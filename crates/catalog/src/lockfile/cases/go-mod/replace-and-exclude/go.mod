module example.com/Own/thing // comment

go 1.22.3

toolchain go1.22.5

require example.com/single v0.1.0

require (
	example.com/a/b v1.2.3
	example.com/a/b/v2 v2.0.0-20240102030405-abcdef012345 // indirect
	example.com/Mixed/Case v3.0.0+incompatible
	"example.com/quoted" v1.0.0
	example.com/gone v1.0.0
	example.com/forked v1.0.0
	example.com/one v1.0.0
	example.com/other v1.0.0
)

exclude example.com/a/b v1.2.2

replace example.com/gone => ../gone

replace (
	example.com/forked => example.com/fork v1.5.0
	example.com/one v1.0.0 => example.com/one v1.0.1
	example.com/other v0.9.0 => example.com/other v0.9.9
)

retract v1.0.0

tool example.com/tool
