//! An invalid setting is one line on stderr that names it, and exit
//! status 2; help and version are complete.

use campuscafe_tests::Process;

const ANY_PORT: &str = "127.0.0.1:0";

/// Runs a command line to its end: exit code, stdout, stderr.
async fn run(command: &str, environment: &[(&str, &str)]) -> (Option<i32>, String, String) {
    let mut words = command.split(' ');
    let program = words.next().unwrap();
    Process::run(program, &words.collect::<Vec<_>>(), environment).await
}

/// Fails unless the command ends at once with status 2 and one line that has this in it.
async fn assert_misuse(command: &str, environment: &[(&str, &str)], names: &[&str]) {
    let (code, stdout, stderr) = run(command, environment).await;
    let case = format!("{environment:?} {command}: {stderr:?}");
    assert_eq!((code, stdout.as_str(), stderr.lines().count()), (Some(2), "", 1), "{case}");
    assert!(stderr.starts_with("error: "), "{case}");
    for name in names {
        assert!(stderr.contains(name), "no {name} in {case}");
    }
}

#[tokio::test]
async fn a_flag_that_cannot_be_meant_is_one_line_that_names_it_and_exit_2() {
    for command in [
        "inventory",
        "order",
        "campuscafe inventory",
        "campuscafe order",
        "campuscafe",
        "campuscafe up",
    ] {
        for (arguments, named) in [
            ("--nonsense", "--nonsense"),
            ("--listen", "--listen"),
            ("--listen nonsense", "--listen"),
            ("--listen=127.0.0.1", "--listen"),
            ("--listen :5101", "--listen"),
            ("--listen 127.0.0.1:65536", "--listen"),
            ("--listen 127.0.0.1:0 --listen 127.0.0.1:0", "--listen"),
            ("--allowed-hosts cafe:5201", "\"cafe:5201\""),
            ("-x", "-x"),
            ("extra", "'extra'"),
        ] {
            assert_misuse(&format!("{command} {arguments}"), &[], &[named]).await;
        }
    }
    for (arguments, named) in [
        ("inventory --stock cake", "--stock"),
        ("inventory --stock cake=-1", "--stock"),
        ("inventory --stock cake=1,Cake=2", "--stock"),
        ("inventory --chaos-seed x", "--chaos-seed"),
        ("inventory --max-work 0", "--max-work"),
        ("inventory --chaos-seed=18446744073709551616", "--chaos-seed"),
        ("order --max-work 0", "--max-work"),
        ("inventory --capacity 0", "--capacity"),
        ("inventory --capacity 1001", "--capacity"),
        ("inventory --capacity all", "--capacity"),
        ("order --retry-budget 1.1", "--retry-budget"),
        ("order --retry-budget=-0.1", "--retry-budget"),
        ("order --retry-budget 10%", "--retry-budget"),
        ("order --order-deadline 0s", "--order-deadline"),
        ("order --order-deadline 6m", "--order-deadline"),
        ("order --attempt-timeout soon", "--attempt-timeout"),
        ("order --attempt-timeout 0s", "--attempt-timeout"),
        ("order --attempt-timeout 61s", "--attempt-timeout"),
        ("order --customer-keys maybe", "--customer-keys"),
        ("order --inventory-url inventory:5101", "--inventory-url"),
        ("order --inventory-url https://inventory", "--inventory-url"),
        ("order --inventory-url ftp://x", "--inventory-url"),
    ] {
        assert_misuse(arguments, &[], &[named]).await;
        assert_misuse(&format!("campuscafe {arguments}"), &[], &[named]).await;
    }
}

#[tokio::test]
async fn a_variable_that_cannot_be_meant_is_one_line_that_names_it_and_exit_2() {
    const TELEMETRY: [(&str, &str); 10] = [
        ("LOG_FORMAT", "yaml"),
        ("RUST_LOG", "a=b=c"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4318"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://collector"),
        ("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "https://collector"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_TRACES_EXPORTER", "zipkin"),
        ("OTEL_LOGS_EXPORTER", "console"),
        ("OTEL_TRACES_SAMPLER", "sometimes"),
        ("OTEL_BSP_SCHEDULE_DELAY", "soon"),
    ];
    const INVENTORY: [(&str, &str); 4] = [
        ("INVENTORY_STOCK", "cake"),
        ("INVENTORY_STOCK", ""),
        ("CHAOS_SEED", "x"),
        ("INVENTORY_CAPACITY", "0"),
    ];
    const ORDER: [(&str, &str); 5] = [
        ("ORDER_ATTEMPT_TIMEOUT", "soon"),
        ("ORDER_RETRY_BUDGET", "2"),
        ("ORDER_DEADLINE", "soon"),
        ("INVENTORY_URL", "ftp://x"),
        ("INVENTORY_URL", "127.0.0.1:5101"),
    ];
    for (command, own) in [
        ("inventory", &[&INVENTORY[..], &[("INVENTORY_LISTEN", "nonsense")]].concat()[..]),
        ("campuscafe inventory", &INVENTORY),
        ("order", &[&ORDER[..], &[("ORDER_LISTEN", "nonsense")]].concat()),
        ("campuscafe order", &ORDER),
        ("campuscafe", &[("LAB_LISTEN", "nonsense")]),
        ("campuscafe up", &[("LAB_LISTEN", "nonsense"), ("ALLOWED_HOSTS", "http://cafe")]),
    ] {
        for &(name, value) in TELEMETRY.iter().chain(own) {
            assert_misuse(command, &[(name, value)], &[name]).await;
        }
    }
}

#[tokio::test]
async fn a_service_within_campuscafe_names_its_own_address_and_not_the_labs() {
    for (command, name) in
        [("campuscafe inventory", "INVENTORY_LISTEN"), ("campuscafe order", "ORDER_LISTEN")]
    {
        assert_misuse(command, &[(name, "nonsense")], &[name]).await;
    }
}

#[tokio::test]
async fn the_labs_address_is_none_of_a_services_business() {
    let lab = [("LAB_LISTEN", "nonsense")];
    let mut service = Process::start("campuscafe", &["inventory", "--listen", ANY_PORT], &lab);
    service.address().await;
}

#[tokio::test]
async fn a_value_with_a_line_break_still_gives_one_whole_line() {
    let value = "127.0.0.1\n5101";
    let reason = "invalid socket address syntax";
    assert_misuse(&format!("inventory --listen {value}"), &[], &["--listen", reason]).await;
    let variable = "INVENTORY_LISTEN";
    assert_misuse("inventory", &[(variable, value)], &[variable, reason]).await;
}

#[tokio::test]
async fn an_address_that_cannot_be_had_is_one_line_that_names_it_and_exit_2() {
    let listener = std::net::TcpListener::bind(ANY_PORT).unwrap();
    let taken = listener.local_addr().unwrap().to_string();
    // 192.0.2.0/24 is kept for documentation: no machine has it.
    for address in [taken.as_str(), "192.0.2.1:5101"] {
        for (command, variable) in [
            ("inventory", "INVENTORY_LISTEN"),
            ("order", "ORDER_LISTEN"),
            ("campuscafe inventory", "INVENTORY_LISTEN"),
            ("campuscafe order", "ORDER_LISTEN"),
            ("campuscafe", "LAB_LISTEN"),
            ("campuscafe up", "LAB_LISTEN"),
        ] {
            let names = ["--listen", variable, address];
            assert_misuse(&format!("{command} --listen {address}"), &[], &names).await;
            assert_misuse(command, &[(variable, address)], &names).await;
        }
    }
}

#[tokio::test]
async fn help_names_every_flag_its_variable_and_its_default() {
    let connections = ("--max-connections <NUMBER>", "[env: MAX_CONNECTIONS=]", "[default: 1000]");
    let hosts = ("--allowed-hosts <NAME,...>", "[env: ALLOWED_HOSTS=]", "[default: none]");
    let database = [
        ("--database-url <postgres://USER:PASSWORD@HOST:PORT/DATABASE>", "[env: DATABASE_URL]", ""),
        ("--database-password-file <FILE>", "[env: DATABASE_PASSWORD_FILE=]", ""),
        ("--database-connections <CONNECTIONS>", "[env: DATABASE_CONNECTIONS=]", "[default: 10]"),
    ];
    let inventory = &[
        ("--listen <ADDRESS>", "[env: INVENTORY_LISTEN=]", "[default: 127.0.0.1:5101]"),
        ("--stock <ITEM=PIECES,...>", "[env: INVENTORY_STOCK=]", "[default: cake=10,coffee=20]"),
        ("--chaos-seed <NUMBER>", "[env: CHAOS_SEED=]", "[default: random, logged at the start]"),
        ("--max-work <REQUESTS>", "[env: INVENTORY_MAX_WORK=]", "[default: 1000]"),
        ("--max-wait <DURATION>", "[env: INVENTORY_MAX_WAIT=", "[default: 100ms]"),
        ("--capacity <REQUESTS_PER_SECOND>", "[env: INVENTORY_CAPACITY=]", ""),
        (
            "--key-horizon <DURATION>",
            "[env: INVENTORY_KEY_HORIZON=]",
            // The line ends here.
            "[default: 10m; 24h",
        ),
        ("--data <DIRECTORY>", "[env: DATA_DIR=]", ""),
        database[0],
        database[1],
        database[2],
        connections,
        hosts,
    ][..];
    let order = &[
        ("--listen <ADDRESS>", "[env: ORDER_LISTEN=]", "[default: 127.0.0.1:5201]"),
        ("--inventory-url <URL>", "[env: INVENTORY_URL=]", "[default: http://127.0.0.1:5101]"),
        ("--attempt-timeout <DURATION>", "[env: ORDER_ATTEMPT_TIMEOUT=]", "[default: 1s]"),
        ("--retry-budget <FRACTION>", "[env: ORDER_RETRY_BUDGET=]", "[default: 0.1]"),
        ("--order-deadline <DURATION>", "[env: ORDER_DEADLINE=]", "[default: 3s]"),
        ("--max-work <ORDERS>", "[env: ORDER_MAX_WORK=]", "[default: 400]"),
        ("--max-wait <DURATION>", "[env: ORDER_MAX_WAIT=", "[default: 100ms]"),
        ("--customer-keys <accept|refuse>", "[env: ORDER_CUSTOMER_KEYS=]", "[default: accept]"),
        ("--data <DIRECTORY>", "[env: DATA_DIR=]", ""),
        database[0],
        database[1],
        database[2],
        connections,
        hosts,
    ];
    let lab = &[
        ("--listen <ADDRESS>", "[env: LAB_LISTEN=]", "[default: 127.0.0.1:5301]"),
        ("--order-url <URL>", "[env: ORDER_URL=]", ""),
        ("--inventory-url <URL>", "[env: INVENTORY_URL=]", ""),
        ("--order-link-url <URL>", "", ""),
        ("--inventory-link-url <URL>", "", ""),
        ("--data <DIRECTORY>", "[env: DATA_DIR=]", ""),
        ("--lang <LANGUAGE>", "LC_MESSAGES", ""),
        connections,
        hosts,
        (
            "--experiment-database-url <postgres://USER:PASSWORD@HOST:PORT/DATABASE>",
            "[env: EXPERIMENT_DATABASE_URL]",
            "",
        ),
        (
            "--experiment-database-password-file <FILE>",
            "[env: EXPERIMENT_DATABASE_PASSWORD_FILE=]",
            "",
        ),
        ("--jaeger-url <URL>", "[env: JAEGER_URL=]", ""),
        ("--jaeger-link-url <URL>", "[env: JAEGER_LINK_URL=]", ""),
        ("--grafana-url <URL>", "[env: GRAFANA_URL=]", ""),
        ("--grafana-link-url <URL>", "[env: GRAFANA_LINK_URL=]", ""),
    ];
    for (command, flags) in [
        ("inventory", inventory),
        ("order", order),
        ("campuscafe inventory", inventory),
        ("campuscafe order", order),
        ("campuscafe up", lab),
    ] {
        let (code, help, stderr) = run(&format!("{command} --help"), &[]).await;
        assert_eq!((code, stderr.as_str()), (Some(0), ""), "{command}");
        // One part for each flag: from its line to the next one's.
        let mut parts: Vec<_> = help.split("\n      --").skip(1).collect();
        assert_eq!(parts.len(), flags.len(), "{command}: {help}");
        for (flag, variable, default) in flags {
            let part = parts.remove(0);
            assert!(flag.ends_with(part.lines().next().unwrap()), "{command}: {flag} in {part}");
            assert!(part.contains(variable) && part.contains(default), "{command}: {part}");
        }
        assert_eq!(run(&format!("{command} -h"), &[]).await.0, Some(0), "{command}");
    }
    let (_, help, _) = run("campuscafe --help", &[]).await;
    for subcommand in ["up", "inventory", "order", "experiment", "compare", "load", "completions"] {
        assert!(help.contains(&format!("\n  {subcommand} ")), "no {subcommand} in {help}");
    }
    for program in ["inventory", "order", "campuscafe"] {
        for flag in ["--version", "-V"] {
            let (code, version, stderr) = run(&format!("{program} {flag}"), &[]).await;
            assert_eq!((code, stderr.as_str()), (Some(0), ""), "{program}");
            // Behind it stands the commit in brackets.
            let start = format!("{program} {} (", env!("CARGO_PKG_VERSION"));
            assert!(version.starts_with(&start) && version.ends_with(')'), "{version}");
        }
    }
}

#[tokio::test]
async fn a_lab_whose_service_cannot_start_passes_its_line_on_and_exits_2() {
    for (name, value, service) in [
        ("INVENTORY_STOCK", "cake", "inventory"),
        ("CHAOS_SEED", "x", "inventory"),
        ("ORDER_ATTEMPT_TIMEOUT", "soon", "order"),
    ] {
        for command in ["campuscafe", "campuscafe up"] {
            let mut settings = vec![("RUST_LOG", "warn"), (name, value)];
            let listen = ["LAB_LISTEN", "INVENTORY_LISTEN", "ORDER_LISTEN"];
            settings.extend(listen.map(|name| (name, ANY_PORT)));
            let (code, stdout, stderr) = run(command, &settings).await;
            let case = format!("{name}={value}: {stderr}");
            assert_eq!((code, stdout.as_str(), stderr.lines().count()), (Some(2), "", 2), "{case}");
            assert!(stderr.starts_with(&format!("error: {name} ")), "{case}");
            let last = format!("error: the {service} service did not start");
            assert!(stderr.lines().any(|line| line.starts_with(&last)), "{case}");
        }
    }
}

#[tokio::test]
async fn a_lab_passes_on_which_services_address_cannot_be_meant() {
    for name in ["INVENTORY_LISTEN", "ORDER_LISTEN"] {
        let listen = ["LAB_LISTEN", "INVENTORY_LISTEN", "ORDER_LISTEN"];
        let mut settings: Vec<_> = listen.map(|name| (name, ANY_PORT)).into();
        settings.extend([("RUST_LOG", "warn"), (name, "nonsense")]);
        let (code, _, stderr) = run("campuscafe", &settings).await;
        assert_eq!(code, Some(2), "{stderr}");
        assert!(stderr.starts_with(&format!("error: {name} ")), "{stderr}");
    }
}
