//! A disk that is full, with real writes: `503` while it is, and nothing lost or doubled after it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use crate::program::{Ponte, SECRET};

/// A shell in a mount namespace of its own, with a small file system on the data directory: it
/// runs the program, fills the disk and frees it. Without such namespaces the test fails.
struct SmallDisk {
    shell: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

const SCRIPT: &str = r#"
set -e
mkdir -p data && chmod 700 data
mount -t tmpfs -o size=1536k,mode=700 tmpfs data
"$PONTE" run 2>>log >&2 &
child=$!
echo up
while read -r order; do
  case "$order" in
    fill) dd if=/dev/zero of=data/filler bs=4k 2>/dev/null || true; sync ;;
    free) rm -f data/filler ;;
    stop) kill -TERM "$child"; wait "$child"; echo "status $?"; exit 0 ;;
  esac
  echo done
done
kill -KILL "$child"
"#;

impl SmallDisk {
    fn start(ponte: &Ponte) -> Self {
        let mut shell = Command::new("unshare")
            .args(["--user", "--map-root-user", "--mount", "sh", "-c", SCRIPT])
            .current_dir(ponte.folder())
            .env("PONTE", env!("CARGO_BIN_EXE_ponte"))
            .env("WEBHOOK_SECRET", SECRET)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("unshare, of util-linux, is there");
        let orders = shell.stdin.take().unwrap();
        let answers = BufReader::new(shell.stdout.take().unwrap());
        let mut disk = Self {
            shell,
            orders,
            answers,
        };
        assert_eq!(
            disk.answer(),
            "up",
            "a mount namespace is needed for this test"
        );
        disk
    }

    fn answer(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        line.trim().to_owned()
    }

    fn order(&mut self, order: &str) -> String {
        writeln!(self.orders, "{order}").unwrap();
        self.answer()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // The script ends with its input; a shell that is gone is as good.
        let _ = writeln!(self.orders, "stop");
        let _ = self.shell.wait();
    }
}

fn alert(number: usize) -> String {
    format!(
        r#"{{"segredo":"{SECRET}","acao":"COMPRA","ativo":"BTCUSDT","qtd":0.001,"id":"{number}"}}"#
    )
}

/// Sends until the answer has this status; gives the number of the alert that had it.
async fn send_until(ponte: &Ponte, wanted: u16, numbers: &mut std::ops::RangeFrom<usize>) -> usize {
    for number in numbers.by_ref().take(4000) {
        let (status, answer) = ponte.send(&alert(number)).await;
        assert!(matches!(status, 200 | 503), "{status} {answer}");
        if status == wanted {
            return number;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    panic!("no {wanted} came");
}

#[tokio::test]
async fn a_full_disk_is_answered_503_and_nothing_is_lost_or_doubled() {
    let ponte = Ponte::install("balance = \"1000000\"\nprices = [\"alert\", \"seeded\"]");
    let mut disk = SmallDisk::start(&ponte);
    ponte.wait_until_ready().await;
    let mut numbers = 0_usize..;
    send_until(&ponte, 200, &mut numbers).await;

    assert_eq!(disk.order("fill"), "done");
    let refused = send_until(&ponte, 503, &mut numbers).await;
    assert!(
        !ponte.is_ready().await,
        "it says that it is ready while it can't write"
    );

    assert_eq!(disk.order("free"), "done");
    // TradingView sends the refused one again, until it is taken.
    let mut taken = (0, serde_json::Value::Null);
    for _ in 0..400 {
        taken = ponte.send(&alert(refused)).await;
        if taken.0 == 200 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    assert_eq!(
        (taken.0, taken.1["status"].as_str()),
        (200, Some("accepted")),
        "{taken:?}"
    );
    ponte.wait_until_settled().await;
    let id = taken.1["id"].as_str().unwrap();
    let orders = ponte.ask(&format!("orders?alert={id}")).await;
    assert_eq!(orders.as_array().unwrap().len(), 1, "{orders}");
    assert_eq!(orders[0]["status"], "filled", "{orders}");

    // Each alert that was answered 200 has one filled order, and the position is their sum.
    let alerts = ponte
        .ask("alerts?limit=5000&outcome=accepted")
        .await
        .as_array()
        .unwrap()
        .len();
    let orders = ponte.ask("orders?limit=5000").await;
    let filled: Vec<_> = orders
        .as_array()
        .unwrap()
        .iter()
        .filter(|order| order["status"] == "filled")
        .collect();
    assert_eq!(filled.len(), alerts, "{orders}");
    assert_eq!(disk.order("stop"), "status 0");
}
