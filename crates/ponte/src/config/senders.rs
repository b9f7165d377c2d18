//! Reads who may send, who stands in between, and what their connections may cost.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::DeValue;

use super::finding::{Notes, Problem};
use super::network::{
    AllowFrom, Cidr, ClientAddress, NamedSet, TRADINGVIEW_ADDRESSES, XFF_POSITION_MAX,
};
use super::proxy::Proxy;
use super::sections::{Mentions, PER_MINUTE_MAX};
use super::table::{Spot, Table};
use super::value::{self, Value, quoted, unexpected};

/// Most connections of one stranger's address, when the file doesn't say.
const CONNECTIONS_PER_ADDRESS_DEFAULT: u32 = 64;
/// Longest name of a set of addresses, in bytes.
const SET_NAME_BYTES_MAX: usize = 64;
const ADDRESS_SETS: &str = "webhook.address_sets";

/// Who may send, and through whom.
pub(super) struct Senders {
    pub(super) allow_from: AllowFrom,
    pub(super) tradingview: Vec<Cidr>,
    pub(super) proxy: Proxy,
    pub(super) trusted_proxies: Vec<Cidr>,
    pub(super) client_address: ClientAddress,
    pub(super) proxy_protocol: bool,
    pub(super) connections_per_address: u32,
}

/// Reads them from the webhook's section.
pub(super) fn senders(
    notes: &mut Notes<'_>,
    mentions: &mut Mentions,
    table: &Table<'_, '_>,
) -> Senders {
    let sets = Sets::read(notes, table);
    let allow_from = allow_from(notes, mentions, table, &sets);
    let proxy = table.read(notes, "proxy", |value| value::choice(value, &Proxy::ALL));
    mentions.proxy.clone_from(&proxy);
    let proxy = proxy.map_or(Proxy::None, |spot| spot.value);
    let listed = table.list(notes, "trusted_proxies", |value| trusted(value, &sets));
    let trusted_proxies = match &listed {
        Some(list) => list
            .value
            .iter()
            .flat_map(|spot| spot.value.clone())
            .collect(),
        None => proxy.addresses(&sets.ranges_of(NamedSet::Cloudflare)),
    };
    mentions.trusted_proxies = listed.map(|list| Spot {
        value: list.value.len(),
        at: list.at,
    });
    let client_address = table.read(notes, "client_address", client_address);
    mentions.client_address.clone_from(&client_address);
    let proxy_protocol = table.read(notes, "proxy_protocol", value::truth);
    mentions.proxy_protocol.clone_from(&proxy_protocol);
    let connections = table.read(notes, "connections_per_address", |value| {
        let number = value::whole_number(value, 1..=PER_MINUTE_MAX)?;
        u32::try_from(number).map_err(|error| Problem::new(error.to_string()))
    });
    Senders {
        allow_from,
        tradingview: sets.ranges_of(NamedSet::TradingView),
        proxy,
        trusted_proxies,
        client_address: client_address.map_or(proxy.client_address(), |spot| spot.value),
        proxy_protocol: proxy_protocol.is_some_and(|spot| spot.value),
        connections_per_address: connections
            .map_or(CONNECTIONS_PER_ADDRESS_DEFAULT, |spot| spot.value),
    }
}

/// The named sets of addresses: the file's own, and those that it doesn't write anew.
#[derive(Default)]
struct Sets {
    own: BTreeMap<String, Vec<Cidr>>,
}

impl Sets {
    fn read(notes: &mut Notes<'_>, table: &Table<'_, '_>) -> Self {
        let mut own = BTreeMap::new();
        let Some(value) = table.value("address_sets") else {
            return Self { own };
        };
        let DeValue::Table(entries) = value.get_ref() else {
            let problem = unexpected("a table of lists", value.get_ref())
                .cured_by("write { office = [\"203.0.113.0/24\"] }");
            notes.error(ADDRESS_SETS, &value.span(), problem);
            return Self { own };
        };
        for (key, value) in entries {
            let name: &str = key.get_ref();
            match named(name) {
                Ok(()) => {
                    let ranges = one_set(notes, value);
                    own.insert(name.to_owned(), ranges);
                }
                Err(problem) => notes.error(ADDRESS_SETS, &key.span(), problem),
            }
        }
        Self { own }
    }

    fn get(&self, name: &str) -> Option<Vec<Cidr>> {
        let own = self.own.get(name).cloned();
        own.or_else(|| NamedSet::of(name).map(NamedSet::ranges))
    }

    fn ranges_of(&self, set: NamedSet) -> Vec<Cidr> {
        self.get(set.name()).unwrap_or_default()
    }

    /// A named set, an address or a range; `more` are the words that the key takes besides.
    fn ranges(&self, value: &Value<'_>, except: &str, more: &[&str]) -> Result<Vec<Cidr>, Problem> {
        let expected = || unexpected("an address, a range or a named set", value);
        let text = value.as_str().ok_or_else(expected)?;
        if let Some(ranges) = self.get(text).filter(|_| text != except) {
            return Ok(ranges);
        }
        text.parse().map(|range| vec![range]).map_err(|error| {
            if !text.starts_with(|first: char| first.is_ascii_alphabetic()) || text.contains(':') {
                return Problem::new(format!("{} {error}", quoted(text)));
            }
            let built_in = NamedSet::ALL.iter().map(|(name, _)| *name);
            let own = self.own.keys().map(String::as_str);
            let own = own.filter(|name| NamedSet::of(name).is_none());
            let names = built_in.chain(own).filter(|name| *name != except);
            let names: Vec<&str> = names.chain(more.iter().copied()).collect();
            match ponte_core::nearest::nearest(text, names.iter().copied()) {
                Some(name) => expected().cured_by(format!("did you mean \"{name}\"?")),
                None => expected().cured_by(format!(
                    "write {}, or an address such as \"{}\"",
                    value::listed(names),
                    TRADINGVIEW_ADDRESSES[0]
                )),
            }
        })
    }
}

/// Whether a set may have this name.
fn named(name: &str) -> Result<(), Problem> {
    if ["any", "loopback", "private"].contains(&name) {
        let problem = Problem::new(format!("\"{name}\" always means the same"));
        return Err(problem.cured_by("give the set a name of its own"));
    }
    let is_first = |first: char| first.is_ascii_lowercase();
    let is_one = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
    if name.starts_with(is_first) && name.chars().all(is_one) && name.len() <= SET_NAME_BYTES_MAX {
        return Ok(());
    }
    Err(
        Problem::new(format!("{} is no name of a set", quoted(name)))
            .cured_by("use small letters, digits, - and _, beginning with a letter"),
    )
}

/// The addresses of one set: addresses, ranges, and the sets that Ponte brings.
fn one_set(notes: &mut Notes<'_>, value: &Spanned<DeValue<'_>>) -> Vec<Cidr> {
    let none = Sets {
        own: BTreeMap::new(),
    };
    let DeValue::Array(entries) = value.get_ref() else {
        let problem = unexpected("a list", value.get_ref())
            .cured_by("write it in brackets, each address in quotes");
        notes.error(ADDRESS_SETS, &value.span(), problem);
        return Vec::new();
    };
    if entries.iter().next().is_none() {
        let problem = Problem::new("is empty").cured_by("list addresses, or take the set out");
        notes.error(ADDRESS_SETS, &value.span(), problem);
    }
    let mut ranges = Vec::new();
    for entry in entries.iter() {
        match none.ranges(entry.get_ref(), "", &[]) {
            Ok(more) => ranges.extend(more),
            Err(problem) => notes.error(ADDRESS_SETS, &entry.span(), problem),
        }
    }
    ranges
}

fn allow_from(
    notes: &mut Notes<'_>,
    mentions: &mut Mentions,
    table: &Table<'_, '_>,
    sets: &Sets,
) -> AllowFrom {
    let Some(list) = table.list(notes, "allow_from", |value| allowed(value, sets)) else {
        return AllowFrom::Ranges(sets.ranges_of(NamedSet::TradingView));
    };
    if table.is_empty_list("allow_from") {
        let problem = Problem::new("allows nobody");
        let problem = problem.cured_by("name who may send: [\"tradingview\"]");
        notes.error("webhook.allow_from", &list.at, problem);
    }
    let mut ranges = Vec::new();
    for entry in list.value {
        match entry.value {
            AllowFrom::Any => mentions.allow_any = Some(entry.at),
            AllowFrom::Ranges(more) => ranges.extend(more),
        }
    }
    if mentions.allow_any.is_some() {
        AllowFrom::Any
    } else {
        AllowFrom::Ranges(ranges)
    }
}

fn allowed(value: &Value<'_>, sets: &Sets) -> Result<AllowFrom, Problem> {
    if value.as_str() == Some("any") {
        return Ok(AllowFrom::Any);
    }
    sets.ranges(value, "", &["any"]).map(AllowFrom::Ranges)
}

/// A proxy of a listener that knows no sets of the owner's.
pub(super) fn proxy(value: &Value<'_>) -> Result<Vec<Cidr>, Problem> {
    trusted(value, &Sets::default())
}

fn trusted(value: &Value<'_>, sets: &Sets) -> Result<Vec<Cidr>, Problem> {
    match value.as_str() {
        Some("any") => Err(
            Problem::new("\"any\" would let everybody claim any address")
                .cured_by("list the addresses of your proxies"),
        ),
        Some("tradingview") => Err(Problem::new("\"tradingview\" is no proxy")
            .cured_by("list the addresses of your proxies")),
        Some(_) | None => sets.ranges(value, "tradingview", &[]),
    }
}

/// A named way, or `{ x-forwarded-for = N }`.
fn client_address(value: &Value<'_>) -> Result<ClientAddress, Problem> {
    let DeValue::Table(entries) = value else {
        return value::choice(value, &ClientAddress::ALL);
    };
    let only = entries.iter().next().filter(|_| entries.len() == 1);
    let position = only.filter(|(name, _)| name.get_ref() == "x-forwarded-for");
    let Some((_, position)) = position else {
        let problem = Problem::new("expected a table with the one key x-forwarded-for");
        return Err(problem.cured_by("write { x-forwarded-for = 2 } for the last entry but one"));
    };
    let position = value::whole_number(position.get_ref(), 1..=u64::from(XFF_POSITION_MAX))?;
    let position = u8::try_from(position).map_err(|error| Problem::new(error.to_string()))?;
    Ok(ClientAddress::XForwardedForNth(position))
}
