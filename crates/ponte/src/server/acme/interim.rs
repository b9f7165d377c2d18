//! What is shown until the first certificate for new names has come: the one that was in use before the
//! names, or the authority, were changed. Without it a restart after such a change would refuse every
//! handshake, and lose every alert, until the order is through.

use ponte_core::time::Timestamp;

use super::held::InUse;
use super::settings::Directory;
use super::store::Store;

/// The stored certificate that serves most of these names now, and of those the one that lasts longest.
pub(super) fn interim(store: &Store, names: &[String], now: Timestamp) -> Option<InUse> {
    let known = store.sets().into_iter().filter_map(|set| {
        // What a staging gives nobody believes.
        let directory = Directory::Url(store.record(&set).directory);
        let text = store.pair(&set).ok().filter(|_| !directory.is_staging())?;
        let found = InUse::of_text(&text).ok()?;
        let facts = &found.facts;
        let holds = facts.not_before <= now && now < facts.not_after;
        let served = names.iter().filter(|name| facts.is_for(name)).count();
        (holds && served > 0).then_some((served, found))
    });
    let best = known.max_by_key(|(served, found)| (*served, found.facts.not_after));
    best.map(|(_, found)| found)
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::super::store::{Pair, Record, SetName};
    use super::*;

    const STAGING: &str = "https://acme-staging-v02.api.letsencrypt.org/directory";

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn keep(store: &Store, directory: &str, of: &[&str], until: i32) {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(names(of)).unwrap();
        params.not_before = rcgen::date_time_ymd(2026, 1, 1);
        params.not_after = rcgen::date_time_ymd(until, 1, 1);
        let pair = Pair {
            chain: params.self_signed(&key).unwrap().pem(),
            key: Zeroizing::new(key.serialize_pem()),
        };
        let set = SetName::new(directory, &names(of));
        store.keep_pair(&set, &pair).unwrap();
        let record = Record {
            directory: directory.to_owned(),
            ..Record::default()
        };
        store.keep_record(&set, &record).unwrap();
    }

    #[test]
    fn the_one_that_serves_most_names_stands_in() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::in_data_dir(folder.path());
        // 2026-11-30T00:00:00Z.
        let now = Timestamp(1_795_996_800_000_000);
        let stands_in = |of: &[&str]| {
            let found = interim(&store, &names(of), now);
            found.map(|found| (found.facts.names.clone(), found.facts.not_after.to_string()))
        };
        assert_eq!(stands_in(&["a.example.com"]), None, "nothing is there");
        keep(&store, STAGING, &["a.example.com"], 2030);
        keep(
            &store,
            "https://ca.example.com/ended",
            &["a.example.com"],
            2026,
        );
        assert_eq!(stands_in(&["a.example.com"]), None);
        keep(
            &store,
            "https://ca.example.com/one",
            &["a.example.com"],
            2027,
        );
        keep(
            &store,
            "https://ca.example.com/two",
            &["a.example.com"],
            2028,
        );
        keep(
            &store,
            "https://ca.example.com/one",
            &["a.example.com", "b.example.com"],
            2027,
        );
        let (_, until) = stands_in(&["a.example.com", "c.example.com"]).unwrap();
        assert!(until.starts_with("2028"), "{until}");
        let (of, _) = stands_in(&["a.example.com", "b.example.com", "c.example.com"]).unwrap();
        assert_eq!(of, ["a.example.com", "b.example.com"]);
        assert_eq!(stands_in(&["c.example.com"]), None);
    }
}
