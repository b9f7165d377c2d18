//! What holds for every message and for every heap of bytes.

use proptest::prelude::*;
use rust_decimal::Decimal;

use ponte_core::format::code;
use ponte_core::signal::Intent;

use super::{digest, read};

/// The names of one field, in three languages, and its values with all their writings.
struct Spelling {
    names: &'static [&'static str],
    /// Writings in one row mean the same, different rows mean different things.
    values: &'static [&'static [&'static str]],
}

const SPELLINGS: &[Spelling] = &[
    Spelling {
        names: &["acao", "Ação", "action", "side", "accion"],
        values: &[
            &[r#""compra""#, r#""BUY""#, r#""long""#, r#"" Comprado ""#],
            &[r#""venda""#, r#""sell""#, r#""short""#, r#""vender""#],
            &[r#""enter_long""#, r#""go long""#, r#""Entrar Comprado""#],
        ],
    },
    Spelling {
        names: &["ativo", "ticker", "symbol", "símbolo"],
        values: &[&[r#""BTCUSDT""#, r#""btcusdt""#], &[r#""PETR4""#]],
    },
    Spelling {
        names: &["qtd", "qty", "cantidad", "LOTES"],
        values: &[
            &["0.01", r#""0,01""#, "1e-2", r#""0.010""#],
            &["1", r#""1""#, "1.0", "10e-1"],
            &["1234.5", r#""1.234,50""#, r#""1,234.50""#],
        ],
    },
    Spelling {
        names: &["preco", "price", "precio"],
        values: &[&["10", r#""10,0""#], &["11"]],
    },
    Spelling {
        names: &["stop", "sl", "stop_loss"],
        values: &[&["9", r#""9.0""#], &["8.5", r#""8,5""#]],
    },
    Spelling {
        names: &["alvo", "target", "objetivo"],
        values: &[
            &["20", "[20]", r#"["20,0"]"#],
            &["[20, 30]", r#"["20","30.0"]"#],
        ],
    },
    Spelling {
        names: &["hora", "time", "sent"],
        values: &[
            &["1795435200", "1795435200000", r#""2026-11-23T12:00:00Z""#],
            &["1795435201", r#""2026-11-23T09:00:01-03:00""#],
        ],
    },
    Spelling {
        names: &["conta", "account", "cuenta"],
        values: &[&[r#""mesa1""#, r#"" mesa1 ""#], &[r#""mesa2""#]],
    },
    Spelling {
        names: &["order_id", "Order Id"],
        values: &[&[r#""L""#], &[r#""S""#]],
    },
    Spelling {
        names: &["tf", "interval", "timeframe"],
        values: &[&["5", r#""5""#, "5.0"], &[r#""1D""#]],
    },
];

/// One choice for each field: which meaning, which name, which writing.
fn choices() -> impl Strategy<Value = Vec<(usize, usize, usize)>> {
    proptest::collection::vec((0_usize..60, 0_usize..60, 0_usize..60), SPELLINGS.len())
}

fn body(
    meanings: &[usize],
    writings: &[(usize, usize, usize)],
    order: usize,
    space: &str,
) -> String {
    let mut members: Vec<String> = SPELLINGS
        .iter()
        .zip(meanings)
        .zip(writings)
        .map(|((spelling, meaning), (_, name, writing))| {
            let values = spelling.values[meaning % spelling.values.len()];
            let name = spelling.names[name % spelling.names.len()];
            format!(
                "{space}\"{name}\"{space}:{space}{}",
                values[writing % values.len()]
            )
        })
        .collect();
    let turn = order % members.len();
    members.rotate_left(turn);
    if order % 2 == 1 {
        members.reverse();
    }
    format!("{space}{{{}{space}}}{space}", members.join(","))
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(body in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = read(&body);
    }

    #[test]
    fn no_almost_json_makes_it_panic(
        body in r#"[{"':,}\[\]a-c0-9 \\\n“”%&;={}.u-]{0,60}"#,
        cut in 0_usize..200,
        damage in any::<u8>(),
    ) {
        let _ = read(&body);
        let whole = r#"{"segredo":"x","acao":"COMPRA","ativo":"BINANCE:BTCUSDT","qtd":"1.234,5","alvo":[1,2],"hora":"2026-11-23T12:00:00Z","comment":"\u00e7"}"#;
        let mut bytes = whole.as_bytes().to_vec();
        let at = cut % bytes.len();
        bytes[at] = damage;
        if let Err(error) = read(&bytes) {
            prop_assert!(code::ALL.contains(&error.code));
        }
        let _ = read(&bytes[..at]);
        let _ = read([&bytes[at..], &bytes[..at]].concat());
        let _ = read([&bytes[..at], body.as_bytes(), &bytes[at..]].concat());
    }

    #[test]
    fn the_digest_is_of_the_meaning(
        left in choices(),
        right in choices(),
        order in 0_usize..50,
        space in "[ \n\t\r]{0,2}",
    ) {
        let meanings: Vec<usize> = left.iter().map(|(meaning, _, _)| *meaning).collect();
        let first = body(&meanings, &left, 0, "");
        let second = body(&meanings, &right, order, &space);
        prop_assert_eq!(digest(&first), digest(&second), "{}\n{}", first, second);
    }

    #[test]
    fn another_meaning_has_another_digest(left in choices(), field in 0..SPELLINGS.len()) {
        let mut meanings: Vec<usize> = left
            .iter()
            .zip(SPELLINGS)
            .map(|((meaning, _, _), spelling)| meaning % spelling.values.len())
            .collect();
        let first = body(&meanings, &left, 0, "");
        meanings[field] += 1;
        let second = body(&meanings, &left, 0, "");
        prop_assert_ne!(digest(&first), digest(&second), "{}\n{}", first, second);
    }

    #[test]
    fn decimals_survive_as_written(mantissa in 1_i128..(1 << 96), scale in 0_u32..=28) {
        let number = Decimal::from_i128_with_scale(mantissa, scale);
        for written in [number.to_string(), format!("\"{number}\"")] {
            let parsed = read(format!(r#"{{"acao":"compra","ativo":"X","qtd":{written}}}"#)).unwrap();
            let Intent::Trade { quantity: Some(quantity), .. } = parsed.signal.intent else {
                panic!("{:?}", parsed.signal.intent);
            };
            prop_assert_eq!(quantity.get(), number);
            prop_assert_eq!(quantity.get().to_string(), number.normalize().to_string());
        }
    }

    #[test]
    fn more_digits_than_fit_are_refused(digits in "[1-9][0-9]{28,59}[1-9]") {
        for written in [digits.clone(), format!("0.{digits}")] {
            let error = read(format!(r#"{{"acao":"compra","ativo":"X","qtd":{written}}}"#)).unwrap_err();
            prop_assert_eq!(error.code, code::TOO_MANY_DIGITS);
        }
    }
}
