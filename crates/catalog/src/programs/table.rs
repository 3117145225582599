//! The rules, sorted by id: data.
//!
//! Which texts carry a version was read from programs as distributions, PyPI and npm carry them, and
//! is marked `documented` where it was not. A literal that names the program next to its version is
//! a sign that no other program carries; where it does not, `also` asks for a second one. A name in
//! `bitnami(…)` is one of Bitnami's records whose upstream is this very program: `mysql-client` is
//! MariaDB's there, `keydb` has Redis's version numbers, `java` is BellSoft's, so MySQL, `KeyDB` and
//! other builds of Java are listed and not matched.
//! Sources: the programs themselves; Syft, `syft/pkg/cataloger/binary`, for what is documented.

use super::rules::{Pattern, Rule, Suffix, rule, version};

/// What ends a text.
const END: &[&[u8]] = &[b"\0"];
const END_OR_LINE: &[&[u8]] = &[b"\0", b"\n"];
const END_OR_BRACKET: &[&[u8]] = &[b"\0", b" ("];
const JAVA_ENDS: &[&[u8]] = &[b"\""];
const REDIS_ENDS: &[&[u8]] = &[b"\0c11-builtin\0", b"\0atomic-builtin\0", b"\0sync-builtin\0"];
/// What Docker's builder writes behind the version: the host's name, which it always calls so.
const BUILDKIT: Pattern = version(b"", &[b"buildkitsandbox-"]);

/// Every rule.
pub(super) const RULES: &[Rule] = &[
    rule("apache", &["httpd", "apache2"], &[version(b"\0Apache/", END_OR_BRACKET)])
        .also(&[b"<VirtualHost"])
        .bitnami("apache"),
    rule("bash", &["bash"], &[version(b"@(#)Bash version ", &[b"("])]),
    rule("bind", &["named"], &[version(b"\0libisc-", &[b".so\0", b"-"])]).also(&[b"named"]),
    rule("bun", &["bun"], &[version(b"Bun v", &[b" ("])]).also(&[b"oven-sh/bun"]),
    rule("busybox", &["busybox"], &[version(b"BusyBox v", &[b" ", b"\0"])]),
    rule("coturn", &["turnserver"], &[version(b"\0Coturn-", &[b" '"])]),
    rule("curl", &["curl"], &[version(b"\0curl/", END)]),
    rule("dart", &["dart"], &[version(b"\0", &[b" (stable)"])])
        .also(&[b"Dart"])
        .medium()
        .documented(),
    rule("deno", &["deno"], &[version(b"Deno/", &[b"Deno/", b"+"])]).also(&[b"deno.land"]),
    rule("dnsmasq", &["dnsmasq"], &[version(b"\0dnsmasq-", END).numbers(2, 3)]),
    rule("dovecot", &["dovecot"], &[version(b"\0Dovecot v", &[b" ("]).numbers(3, 4)]),
    rule("elixir", &["elixir"], &[version(b"ELIXIR_VERSION=", &[b"\n"])]).text(b"#!").documented(),
    rule("erlang", &["beam.smp"], &[version(b"%s]\n\0", END).numbers(2, 5)])
        .also(&[b"Erlang/OTP ", b" [erts-"])
        .medium(),
    rule(
        "exim",
        &["exim", "exim4"],
        &[version(b"<<eximcnumber>>\0", &[b"\0<<eximversion>>"]).numbers(2, 4)],
    ),
    rule(
        "expat",
        &["libexpat.so.1.8.#", "libexpat.so.1.9.#", "libexpat.so.1.10.#", "libexpat.so.1.11.#"],
        &[version(b"\0expat_", END)],
    ),
    rule(
        "ffmpeg",
        &["ffmpeg", "ffprobe"],
        &[version(b"%s version ", &[b"\0", b"-"]).numbers(2, 3)],
    )
    .also(&[b"%sbuilt with %s\n"]),
    rule("fluent-bit", &["fluent-bit"], &[version(b"\0", &[b"\0%sFluent Bit", b"\0Fluent Bit"])])
        .also(&[b"fluentbit.io"])
        .bitnami("fluent-bit")
        .documented(),
    rule(
        "freeradius",
        &["freeradius", "radiusd"],
        &[version(b"FreeRADIUS Version ", &[b", for host"])],
    ),
    rule(
        "gcc",
        &["gcc", "x86_64-linux-gnu-gcc-#", "aarch64-linux-gnu-gcc-#"],
        &[version(b"\0", &[b"\0(GNU) ", b"\0(Debian ", b"\0(Ubuntu "])],
    )
    .also(&[b"\0gcc version %s %s\n"])
    .medium(),
    rule("git", &["git"], &[version(b"git/", &[b"\0GIT_USER_AGENT\0"])]).bitnami("git"),
    rule("gnupg", &["gpg"], &[version(b"@GPG@ (@GNUPG@)\0", END)]),
    rule(
        "haproxy",
        &["haproxy"],
        &[version(b" version ", &[b", released 20"]).suffix(Suffix::Dropped)],
    )
    .also(&[b"haproxy"])
    .bitnami("haproxy"),
    rule(
        "imagemagick",
        &[
            "magick",
            "libMagickCore-6.Q16.so.6.0.0",
            "libMagickCore-6.Q16.so.7.0.0",
            "libMagickCore-7.Q16.so.10.0.#",
            "libMagickCore-7.Q16HDRI.so.10.0.#",
        ],
        &[version(b"\0ImageMagick ", &[b" Q"]).suffix(Suffix::Release)],
    ),
    rule("jdk", &["release"], &[version(b"JAVA_VERSION=\"", JAVA_ENDS).numbers(1, 5)])
        .text(b"IMPLEMENTOR=\"")
        .also(&[b"\nOS_ARCH=\""])
        .never(&[b"IMPLEMENTOR=\"BellSoft\""]),
    rule("jdk-8", &["release"], &[version(b"JAVA_VERSION=\"", JAVA_ENDS).suffix(Suffix::Update)])
        .named("jdk")
        .text(b"JAVA_VERSION=\"")
        .also(&[b"\nOS_ARCH=\""])
        .documented(),
    rule("jdk-liberica", &["release"], &[version(b"JAVA_VERSION=\"", JAVA_ENDS).numbers(1, 5)])
        .named("jdk")
        .text(b"IMPLEMENTOR=\"BellSoft\"")
        .also(&[b"\nOS_ARCH=\""])
        .bitnami("java")
        .documented(),
    rule("jq", &["jq"], &[version(b"\0", &[b"\0DEBUG:\0"]).numbers(2, 3)])
        .also(&[b"jq: error (at %s): %s"])
        .medium(),
    rule(
        "julia",
        &["libjulia-internal.so.1.#", "libjulia-internal.so"],
        &[version(b"__init__\0", &[b"\0verify"])],
    )
    .also(&[b"julia"])
    .medium()
    .documented(),
    rule("kamailio", &["kamailio"], &[version(b"\0kamailio ", &[b" ("])]),
    rule("knot", &["knotd"], &[version(b"\0Knot DNS ", END)]),
    rule(
        "libcurl",
        &["libcurl.so.4.5.0", "libcurl.so.4.6.0", "libcurl.so.4.7.0", "libcurl.so.4.8.0"],
        &[version(b"\0libcurl/", END)],
    )
    .named("curl"),
    rule("lighttpd", &["lighttpd"], &[version(b"\0lighttpd/", END_OR_BRACKET)]),
    rule(
        "lua",
        &["lua", "lua5.#", "liblua5.#.so.0.0.0", "liblua.so.5.3.#", "liblua.so.5.4.#"],
        &[version(b"$LuaVersion: Lua ", &[b"  Copyright (C)"])],
    )
    .agrees_with_name()
    .bitnami("lua"),
    rule("mariadb", &["mariadbd", "mysqld"], &[version(b"\0", &[b"-MariaDB\0", b"-MariaDB-"])])
        .also(&[b"MariaDB server"])
        .bitnami("mariadb"),
    rule("memcached", &["memcached"], &[version(b"\0memcached ", END_OR_LINE)])
        .bitnami("memcached"),
    rule(
        "mongodb",
        &["mongod", "mongos"],
        &[version(b"", &[b"\0tcmalloc\0", b"\0heap_size\0", b"\0cppdefines\0"])],
    )
    .also(&[b"mongodb"])
    .bitnami("mongodb")
    .medium()
    .documented(),
    rule("mosquitto", &["mosquitto"], &[version(b"\0", &[b"\0mosquitto version %s\n"])]),
    rule("mysql", &["mysqld"], &[version(b"/mysql-", &[b"/"])])
        .never(&[b"MariaDB", b"/percona-server-", b"/Percona-XtraDB-Cluster-"])
        .documented(),
    rule("nginx", &["nginx"], &[version(b"\0nginx version: nginx/", &[b"\0", b"\n", b" ("])])
        .bitnami("nginx"),
    rule("nmap", &["nmap"], &[version(b"https://nmap.org\0", &[b"\0Nmap\0"]).numbers(2, 3)]),
    rule(
        "node",
        &[
            "node",
            "nodejs",
            "libnode.so.#",
            "libnode.so.108",
            "libnode.so.115",
            "libnode.so.127",
            "libnode.so.137",
        ],
        &[version(b"\0node.js/v", END)],
    )
    .bitnami("node"),
    rule("nsd", &["nsd"], &[version(b"\0NSD ", END)]),
    rule(
        "openldap",
        &["slapd"],
        &[version(b"$OpenLDAP: slapd ", &[b" ("]).suffix(Suffix::Dropped)],
    )
    .bitnami("openldap"),
    rule(
        "openresty",
        &["nginx", "openresty"],
        &[version(b"\0nginx version: openresty/", &[b"\0", b"\n", b" ("]).numbers(4, 4)],
    )
    .documented(),
    rule(
        "openssh",
        &["sshd", "ssh", "sshd-session"],
        &[version(b"\0OpenSSH_", &[b"\0", b" "]).numbers(2, 2).suffix(Suffix::Patch)],
    ),
    rule(
        "openssl",
        &[
            "openssl",
            "libcrypto.so.3",
            "libcrypto.so.1.1",
            "libcrypto.so.1.0.0",
            "libcrypto.so.1.0.2",
            "libcrypto.so.10",
        ],
        &[version(b"\0OpenSSL ", &[b" "]).suffix(Suffix::Letters)],
    )
    .never(&[b"AWS-LC", b"BoringSSL", b"LibreSSL"]),
    rule("openvpn", &["openvpn"], &[version(b"\0OpenVPN ", &[b" "])]).also(&[b" [SSL ("]),
    rule(
        "percona-server",
        &["mysqld"],
        &[version(b"/percona-server-", &[b"/"]).suffix(Suffix::Release)],
    )
    .never(&[b"MariaDB"])
    .documented(),
    rule("perl", &["perl", "libperl.so.5.#", "perl5.36.0"], &[version(b"\0v", END).lead("5.")])
        .also(&[b"PERL_INTERNAL_RAND_SEED", b"PERL5LIB"])
        .medium(),
    rule("pgbouncer", &["pgbouncer"], &[version(b"\0PgBouncer ", END)]).bitnami("pgbouncer"),
    rule(
        "php",
        &[
            "php",
            "php-cgi",
            "php-fpm",
            "libphp.so",
            "php5.#",
            "php7.#",
            "php8.#",
            "php-cgi8.#",
            "php-fpm8.#",
            "libphp8.#.so",
        ],
        &[version(b"X-Powered-By: PHP/", END)],
    )
    .also(&[b"Zend Engine v"])
    .agrees_with_name()
    .bitnami("php"),
    rule("postfix", &["postconf", "master"], &[version(b"\0mail_version=", END)]),
    rule(
        "postgresql",
        &["postgres"],
        &[version(b"\0PostgreSQL ", &[b" on ", b" ("]).numbers(2, 3)],
    )
    .also(&[b"pg_catalog"])
    .bitnami("postgresql"),
    rule("privoxy", &["privoxy"], &[version(b"\0Privoxy ", END)]),
    rule("proftpd", &["proftpd"], &[version(b"\0ProFTPD Version ", END).suffix(Suffix::Letters)]),
    rule(
        "pypy",
        &["pypy", "pypy3", "libpypy-c.so", "libpypy3-c.so", "libpypy3.#-c.so"],
        &[version(b"\n[PyPy ", &[b" with "])],
    ),
    rule(
        "python",
        &[
            "python",
            "python3",
            "python3.#",
            "python3.#m",
            "libpython3.#.so.1.0",
            "libpython3.#m.so.1.0",
            "python2.7",
            "libpython2.7.so.1.0",
        ],
        &[version(b"\0", END).lead("3."), version(b"\0", END).lead("2.7.")],
    )
    .also(&[b"Python %s\n", b"PYTHONHOME"])
    .never(&[b"[PyPy "])
    .agrees_with_name()
    .bitnami("python")
    .medium(),
    rule(
        "rabbitmq",
        &["rabbit.app"],
        &[version(b"{vsn,\"", &[b"\"}"]), version(b"{vsn, \"", &[b"\"}"])],
    )
    .text(b"{application,")
    .also(&[b"RabbitMQ"])
    .bitnami("rabbitmq")
    .documented(),
    rule("redis", &["redis-server"], &[version(b"\0", REDIS_ENDS), BUILDKIT])
        .also(&[b"redis_version:%s"])
        .never(&[b"valkey", b"KeyDB"])
        .bitnami("redis"),
    rule(
        "ruby",
        &[
            "ruby",
            "libruby.so.2.7.#",
            "libruby.so.3.0.#",
            "libruby.so.3.1.#",
            "libruby.so.3.2.#",
            "libruby.so.3.3.#",
            "libruby.so.3.4.#",
            "libruby.so.4.0.#",
            "libruby-3.1.so.3.1.#",
            "libruby-3.3.so.3.3.#",
        ],
        &[version(b"\0ruby ", &[b" (20"]).suffix(Suffix::DroppedPatch)],
    )
    .also(&[b"Yukihiro Matsumoto"])
    .agrees_with_name()
    .bitnami("ruby"),
    rule(
        "sqlite",
        &["libsqlite3.so.0", "libsqlite3.so.0.8.6", "sqlite3"],
        &[version(b"\0", END).lead("3.")],
    )
    .also(&[b"SQLite format 3", b"sqlite_source_id"])
    .bitnami("sqlite")
    .medium(),
    rule("squid", &["squid"], &[version(b"\0squid/", END).numbers(2, 3)]),
    rule("stunnel", &["stunnel", "stunnel4"], &[version(b"\0stunnel ", &[b" on "]).numbers(2, 3)]),
    rule("sudo", &["sudo"], &[version(b"Sudo version %s\n\0", END).suffix(Suffix::MayBePatch)]),
    rule("tcpdump", &["tcpdump"], &[version(b"%s version ", END_OR_LINE)])
        .also(&[b"SMI-library: %s\n"]),
    rule(
        "tini",
        &["tini", "tini-static", "docker-init"],
        &[version(b"\0tini version ", &[b"\0", b" - git."])],
    ),
    rule("tor", &["tor"], &[version(b"\0tor ", END).numbers(4, 4)]).also(&[b" (on Tor "]),
    rule("unbound", &["unbound"], &[version(b"\0unbound ", END)]).also(&[b"start of service (%s)"]),
    rule("valkey", &["valkey-server"], &[version(b"\0", REDIS_ENDS), BUILDKIT])
        .also(&[b"valkey_version:%s"])
        .bitnami("valkey")
        .documented(),
    rule("varnish", &["varnishd"], &[version(b"\0varnish-", &[b" revision "])]).bitnami("varnish"),
    rule("vsftpd", &["vsftpd"], &[version(b"\0vsftpd: version ", END_OR_LINE)]),
    rule("wp-cli", &["wp", "wp-cli.phar"], &[version(b"wp-cli/wp-cli ", &[b"\n", b"\0"])])
        .text(b"#!/usr/bin/env php")
        .bitnami("wp-cli")
        .documented(),
    rule("xz", &["xz"], &[version(b"\0xz (XZ Utils) ", END)]),
    rule(
        "zlib",
        &["libz.so.1.2.#", "libz.so.1.3.#", "libz.so.1.3"],
        &[version(b" deflate ", &[b" Copyright "]).numbers(2, 4)],
    )
    .also(&[b" inflate "]),
    rule("zsh", &["zsh"], &[version(b"/zsh/", END).numbers(2, 3)]).also(&[b"zsh: correct '%R' to"]),
    rule("zstd", &["zstd"], &[version(b"\0v", &[b"\0Zstandard CLI\0"]).lead("1.")]),
];
