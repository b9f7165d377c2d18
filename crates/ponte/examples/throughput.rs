#![allow(missing_docs, clippy::unwrap_used, clippy::disallowed_methods)]
use ponte::{app::Core, config, engine::Alert};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
fn main() {
    let dir = std::path::PathBuf::from(std::env::args().nth(1).unwrap());
    let conns: usize = std::env::args().nth(2).unwrap().parse().unwrap();
    std::fs::create_dir_all(&dir).unwrap();
    let file = dir.join("ponte.toml");
    std::fs::write(&file, "data_dir = \"data\"\n[webhook]\nlisten = \"127.0.0.1:8080\"\nallow_from = [\"any\"]\n[admin]\nlisten = \"127.0.0.1:8081\"\n[[sources]]\nname = \"main\"\nsecret = \"env:WEBHOOK_SECRET\"\n[[accounts]]\nname = \"paper\"\nbroker = \"paper\"\nmode = \"paper\"\ncurrency = \"USDT\"\nbalance = \"1000000000000\"\nprices = [\"alert\", \"seeded\"]\n[[routes]]\nstrategies = [\"*\"]\naccounts = [\"paper\"]\n").unwrap();
    let loaded = config::load(&file).unwrap();
    let rt = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    rt.block_on(async {
        let core = Core::start(&loaded).await.unwrap();
        let count = Arc::new(AtomicU64::new(0));
        let t0 = std::time::Instant::now();
        let mut tasks = vec![];
        for c in 0..conns {
            let engine = core.engine.clone();
            let count = count.clone();
            tasks.push(tokio::spawn(async move {
                let mut n = 0u64;
                while t0.elapsed().as_secs() < 5 {
                    n += 1;
                    let body = format!(r#"{{"segredo":"S","acao":"COMPRA","ativo":"BTCUSDT","qtd":0.01,"id":"{c}-{n}-{}"}}"#, t0.elapsed().as_nanos());
                    let p = ponte_core::format::parse(ponte_core::format::Format::Ponte, body.as_bytes()).unwrap();
                    let d = engine.alert(Alert { source: ponte_core::id::SourceName::new("main").unwrap(), received_at: ponte::clock::now(), signal: p.signal, delivery: Default::default() }).await.unwrap();
                    assert_eq!(d.outcome.as_str(), "accepted");
                    count.fetch_add(1, Relaxed);
                }
            }));
        }
        for t in tasks { t.await.unwrap(); }
        let open = core.engine.look(|s| s.open_orders().count()).await.unwrap();
        println!("{conns} conns: {:.0} alerts/s, open orders now {open}", count.load(Relaxed) as f64 / t0.elapsed().as_secs_f64());
        core.stop().await;
    });
}
