//! Bodies that are no message: the fixture list of the reference (its row numbers are kept) and
//! other broken JSON, with the words that the sender gets.

use super::check_all;

fn many_keys() -> String {
    let keys: Vec<String> = (0..257).map(|key| format!("\"_k{key}\":1")).collect();
    format!("{{{}}}", keys.join(","))
}

#[test]
fn the_rows_of_the_reference() {
    check_all(THE_ROWS_OF_THE_REFERENCE);
}

const THE_ROWS_OF_THE_REFERENCE: &[(&[u8], &str)] = &[
    // Row 3.
    (
        r#"{"acao":"buy",}"#.as_bytes(),
        "E_TRAILING_COMMA - 1:15 a comma stands before a closing bracket with nothing after it; delete it",
    ),
    // Row 4.
    (
        "{“action”:“buy”}".as_bytes(),
        r#"E_SMART_QUOTES - 1:2 the quote “ is curly, JSON wants the straight "; a phone or a web page put it there: type the quotes again on a computer"#,
    ),
    (
        r#"{"action":“buy”}"#.as_bytes(),
        r#"E_SMART_QUOTES action 1:11 the quote “ is curly, JSON wants the straight "; a phone or a web page put it there: type the quotes again on a computer"#,
    ),
    (
        r#"{"action":"buy”,"ativo":"X"}"#.as_bytes(),
        r#"E_SMART_QUOTES action 1:18 the quote ” is curly, JSON wants the straight "; a phone or a web page put it there: type the quotes again on a computer"#,
    ),
    (
        r#"{"action":"buy”}"#.as_bytes(),
        r#"E_SMART_QUOTES action 1:15 the quote ” is curly, JSON wants the straight "; a phone or a web page put it there: type the quotes again on a computer"#,
    ),
    // Row 5.
    (
        "{'action':'buy'}".as_bytes(),
        r#"E_SINGLE_QUOTES - 1:2 the quote ' is not JSON's; use the double quote " around keys and texts"#,
    ),
    // Row 6.
    (
        "{\"action\":\"buy\",\"comment\":\"two\nlines\"}".as_bytes(),
        r#"E_CONTROL_CHAR comment 1:31 comment holds a line break between its quotes; a text is one line, put a space there (in Pine: str.replace_all(s, "\n", " "))"#,
    ),
    (
        "{\"action\":\"buy\",\"comment\":\"a\ttab\"}".as_bytes(),
        r#"E_CONTROL_CHAR comment 1:29 comment holds a tab between its quotes; a text is one line, put a space there (in Pine: str.replace_all(s, "\n", " "))"#,
    ),
    // Row 7.
    (
        r#"{"qty":NaN}"#.as_bytes(),
        "E_NO_NUMBER qty 1:8 qty is NaN, which is no number; Pine had no value there: test it with na(), or leave the field out",
    ),
    (
        r#"{"qty":na}"#.as_bytes(),
        "E_NO_NUMBER qty 1:8 qty is na, which is no number; Pine had no value there: test it with na(), or leave the field out",
    ),
    (
        r#"{"qty":}"#.as_bytes(),
        "E_NO_NUMBER qty 1:8 qty is empty, which is no number; Pine had no value there: test it with na(), or leave the field out",
    ),
    (
        r#"{"qty":-Infinity}"#.as_bytes(),
        "E_NO_NUMBER qty 1:8 qty is -Infinity, which is no number; Pine had no value there: test it with na(), or leave the field out",
    ),
    (
        r#"{"action":,"qty":1}"#.as_bytes(),
        "E_EMPTY_FIELD action 1:11 action has no value; fill it in or leave the field out",
    ),
    // Row 8.
    (
        r#"{"qty":0,01}"#.as_bytes(),
        "E_DECIMAL_COMMA qty 1:10 qty 0,01 has a comma in it; without quotes a number has a decimal point and no separators of thousands, such as 0.01",
    ),
    // Row 9.
    (
        r#"{"price":12,345.6}"#.as_bytes(),
        "E_DECIMAL_COMMA price 1:13 price 12,345.6 has a comma in it; without quotes a number has a decimal point and no separators of thousands, such as 0.01",
    ),
    // Row 10.
    (
        r#"{"comment":"TP "1""}"#.as_bytes(),
        r#"E_INNER_QUOTES comment 1:17 comment holds a quote inside of its quotes; write \" for it, or leave it out (TradingView fills in comments and ids as they are)"#,
    ),
    // Row 11.
    (
        "".as_bytes(),
        "E_EMPTY - - the body is empty; an order without alert_message sends an empty text: give every strategy.entry, strategy.exit and strategy.close its alert_message",
    ),
    (
        " \r\n\t".as_bytes(),
        "E_EMPTY - - the body is empty; an order without alert_message sends an empty text: give every strategy.entry, strategy.exit and strategy.close its alert_message",
    ),
    (
        "\u{feff}".as_bytes(),
        "E_EMPTY - - the body is empty; an order without alert_message sends an empty text: give every strategy.entry, strategy.exit and strategy.close its alert_message",
    ),
    // Row 12.
    (
        r#"{"qty":{{strategy.order.contracts}}}"#.as_bytes(),
        "E_PLACEHOLDER qty 1:8 qty holds the placeholder {{strategy.order.contracts}}, which TradingView did not replace; alert() in Pine never replaces placeholders (put the value in with str.tostring), and {{strategy.…}} exists only in the alerts of a strategy",
    ),
    // Row 13.
    (
        r#"{"qty":"{{strategy.order.contracts}}"}"#.as_bytes(),
        "E_PLACEHOLDER qty 1:8 qty holds the placeholder {{strategy.order.contracts}}, which TradingView did not replace; alert() in Pine never replaces placeholders (put the value in with str.tostring), and {{strategy.…}} exists only in the alerts of a strategy",
    ),
    (
        r#"{"price":"{{plot("Entry")}}"}"#.as_bytes(),
        r#"E_PLACEHOLDER price 1:11 price holds the placeholder {{plot("Entry")}}, which TradingView did not replace; alert() in Pine never replaces placeholders (put the value in with str.tostring), and {{strategy.…}} exists only in the alerts of a strategy"#,
    ),
    (
        "{{strategy.order.alert_message}}".as_bytes(),
        "E_PLACEHOLDER - 1:1 the body holds the placeholder {{strategy.order.alert_message}}, which TradingView did not replace; alert() in Pine never replaces placeholders (put the value in with str.tostring), and {{strategy.…}} exists only in the alerts of a strategy",
    ),
    (
        r#"{"acao":"compra","ativo":"{{ticker"}"#.as_bytes(),
        "E_PLACEHOLDER ativo 1:26 ativo holds the placeholder {{ticker, which TradingView did not replace; alert() in Pine never replaces placeholders (put the value in with str.tostring), and {{strategy.…}} exists only in the alerts of a strategy",
    ),
    // Row 14.
    (
        "{\"action\":\u{a0}\"buy\"}".as_bytes(),
        "E_INVISIBLE_CHAR action 1:11 the invisible character U+00A0 stands between the parts of the JSON; delete it and type a normal space",
    ),
    (
        "{\u{200b}\"action\":\"buy\"}".as_bytes(),
        "E_INVISIBLE_CHAR - 1:2 the invisible character U+200B stands between the parts of the JSON; delete it and type a normal space",
    ),
    (
        "{\"action\":\"buy\"}\u{a0}".as_bytes(),
        "E_INVISIBLE_CHAR - 1:17 the invisible character U+00A0 stands between the parts of the JSON; delete it and type a normal space",
    ),
    (
        "\u{a0}{\"action\":\"buy\"}".as_bytes(),
        "E_INVISIBLE_CHAR - 1:1 the invisible character U+00A0 stands between the parts of the JSON; delete it and type a normal space",
    ),
    // Row 15.
    (
        r#""acao":"COMPRA","ativo":"BTCUSDT""#.as_bytes(),
        "E_MISSING_BRACES - 1:1 the braces around the message are missing; put { in front and } behind",
    ),
    // Row 16.
    (
        "{\"acao\":\"compra\"}\n{\"acao\":\"compra\"}".as_bytes(),
        "E_TRAILING_DATA - 2:1 a second object follows the first, perhaps the message was pasted twice; one alert is one message: delete the second",
    ),
    (
        r#"{"acao":"compra"}}"#.as_bytes(),
        "E_TRAILING_DATA - 1:18 something follows the closing brace; delete it",
    ),
    // Row 17.
    (
        r#"{"action":"buy","action":"sell"}"#.as_bytes(),
        r#"E_DUPLICATE_KEY action 1:26 the key "action" is given twice; keep one"#,
    ),
    (
        r#"{"qtd":1,"qty":2}"#.as_bytes(),
        r#"E_DUPLICATE_KEY qty 1:16 "qtd" and "qty" are two names of one field; keep one"#,
    ),
    // Row 18.
    (
        r#"[{"acao":"compra"},{"acao":"venda"}]"#.as_bytes(),
        "E_BATCH - - the body is an array; one alert is one message: send one object per alert",
    ),
    // Row 19.
    (
        r#""{\"action\":\"buy\"}""#.as_bytes(),
        "E_DOUBLE_ENCODED - 1:1 the message is JSON inside of a JSON text, its quotes have backslashes; send the object itself",
    ),
    (
        r#"{\"action\":\"buy\"}"#.as_bytes(),
        "E_DOUBLE_ENCODED - 1:2 the message is JSON inside of a JSON text, its quotes have backslashes; send the object itself",
    ),
    // Row 20.
    (
        "payload=%7B%22action%22%3A%22buy%22%7D".as_bytes(),
        r#"E_FORM_ENCODED - - the body is encoded as a web form; send the JSON itself: {"segredo":"…","acao":"COMPRA","ativo":"BTCUSDT","qtd":0.01}"#,
    ),
    (
        "action=buy&ticker=PETR4".as_bytes(),
        r#"E_FORM_ENCODED - - the body is encoded as a web form; send the JSON itself: {"segredo":"…","acao":"COMPRA","ativo":"BTCUSDT","qtd":0.01}"#,
    ),
    (
        "%7B%22action%22%3A%22buy%22%7D".as_bytes(),
        r#"E_FORM_ENCODED - - the body is encoded as a web form; send the JSON itself: {"segredo":"…","acao":"COMPRA","ativo":"BTCUSDT","qtd":0.01}"#,
    ),
    // Row 21.
    (
        b"{\x22a\xe7\xe3o\x22:\x22buy\x22}".as_slice(),
        "E_ENCODING - 1:4 the byte 0xe7 is not UTF-8, the text is perhaps Latin-1 or Windows-1252; send it as UTF-8, or write the words without accents",
    ),
    (
        b"\xff\xfe{\x00\x22\x00a\x00c\x00a\x00o\x00\x22\x00:\x00\x22\x00x\x00\x22\x00}\x00"
            .as_slice(),
        "E_ENCODING - 1:1 the body is UTF-16; send it as UTF-8",
    ),
    // Row 26.
    (
        r#"{"alvo":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}"#.as_bytes(),
        "E_DEPTH alvo 1:9 alvo is nested 17 levels deep, the limit is 16; a message is one flat object",
    ),
    // Row 27.
    (
        "{&quot;acao&quot;:&quot;COMPRA&quot;}".as_bytes(),
        "E_HTML_ESCAPED - 1:2 the body has &quot; where quotes should be, it was copied from a web page or an e-mail; type the quotes again",
    ),
    (
        "acao&quot;:&quot;COMPRA".as_bytes(),
        "E_HTML_ESCAPED - - the body has &quot; where quotes should be, it was copied from a web page or an e-mail; type the quotes again",
    ),
    // Row 28.
    (
        "PETR4 Crossing 38.50".as_bytes(),
        r#"E_NO_ACTION - - the body is plain text and no JSON object, so no action is found in it; TradingView sends its own sentence when the message box of the alert is left as it was: write {"segredo":"…","acao":"COMPRA","ativo":"BTCUSDT","qtd":0.01} there"#,
    ),
    (
        "60123456789012,buy,EURUSD,risk=0.5,sl=25".as_bytes(),
        r#"E_NO_ACTION - - the body is plain text and no JSON object, so no action is found in it; TradingView sends its own sentence when the message box of the alert is left as it was: write {"segredo":"…","acao":"COMPRA","ativo":"BTCUSDT","qtd":0.01} there"#,
    ),
    (
        "k7 COMPRA PETR4 100 @ 38,45".as_bytes(),
        r#"E_NO_ACTION - - the body is plain text and no JSON object, so no action is found in it; TradingView sends its own sentence when the message box of the alert is left as it was: write {"segredo":"…","acao":"COMPRA","ativo":"BTCUSDT","qtd":0.01} there"#,
    ),
];

#[test]
fn json_that_is_none() {
    check_all(JSON_THAT_IS_NONE);
}

const JSON_THAT_IS_NONE: &[(&[u8], &str)] = &[
    (
        r#"{acao:"compra"}"#.as_bytes(),
        "E_UNQUOTED - 1:2 a key stands without quotes; put every key in double quotes",
    ),
    (
        r#"{"acao":compra}"#.as_bytes(),
        "E_UNQUOTED acao 1:9 acao is compra without quotes; put it in double quotes",
    ),
    (
        r#"{"segredo":MEU_SEGREDO,"acao":"x"}"#.as_bytes(),
        "E_UNQUOTED segredo 1:12 segredo is «redacted» without quotes; put it in double quotes",
    ),
    (
        r#"{"qtd":1 lote}"#.as_bytes(),
        "E_BAD_NUMBER qtd 1:10 qtd 1 lote is not a number; expected one such as 0.01",
    ),
    (
        r#"{"segredo":12abc}"#.as_bytes(),
        "E_UNQUOTED segredo 1:12 segredo is «redacted» without quotes; put it in double quotes",
    ),
    (
        r#"{"qtd":01}"#.as_bytes(),
        "E_BAD_NUMBER qtd 1:8 qtd 01 is not a number; expected one such as 0.01",
    ),
    (
        r#"{"qtd":+1}"#.as_bytes(),
        "E_BAD_NUMBER qtd 1:8 qtd +1 is not a number; expected one such as 0.01",
    ),
    (
        r#"{"qtd":.5}"#.as_bytes(),
        "E_BAD_NUMBER qtd 1:8 qtd .5 is not a number; expected one such as 0.01",
    ),
    (
        r#"{"qtd":10%}"#.as_bytes(),
        "E_BAD_NUMBER qtd 1:8 qtd 10% is not a number; expected one such as 0.01",
    ),
    (
        r#"{"acao":"compra" "qtd":1}"#.as_bytes(),
        "E_MISSING_COMMA acao 1:18 a comma is missing after acao",
    ),
    (
        r#"{"qtd":1 "acao":"compra"}"#.as_bytes(),
        "E_MISSING_COMMA qtd 1:10 a comma is missing after qtd",
    ),
    (
        r#"{"acao":"compra""#.as_bytes(),
        "E_TRUNCATED - 1:17 the body ends before the closing brace; was the message cut off?",
    ),
    (
        r#"{"acao":"compra"#.as_bytes(),
        "E_TRUNCATED acao 1:9 the quote that opens acao is never closed",
    ),
    (
        r#"{"acao":"#.as_bytes(),
        "E_TRUNCATED - 1:9 the body ends before the closing brace; was the message cut off?",
    ),
    (
        r#"{"acao"#.as_bytes(),
        "E_TRUNCATED - 1:2 the quote that opens a key is never closed",
    ),
    (
        "{".as_bytes(),
        "E_TRUNCATED - 1:2 the body ends before the closing brace; was the message cut off?",
    ),
    (
        r#"{"acao":"a\qb"}"#.as_bytes(),
        r#"E_BAD_ESCAPE acao 1:11 acao has a backslash before something that JSON can't escape; write \\ for one backslash"#,
    ),
    (
        r#"{"acao":"compra","ativo":"X","comment":"\ud800"}"#.as_bytes(),
        r#"E_BAD_ESCAPE comment 1:40 comment holds half of a surrogate pair (\ud800 to \udfff), which is no character: write the character itself"#,
    ),
    (
        r#"{"acao"="compra"}"#.as_bytes(),
        "E_SYNTAX acao 1:8 expected a colon after acao, found =",
    ),
    (
        r#"{"acao":"compra",,}"#.as_bytes(),
        "E_SYNTAX - 1:18 expected a key in double quotes, found ,",
    ),
    (
        "{\"acao\":\"compra\" // buy\n}".as_bytes(),
        "E_SYNTAX acao 1:18 / starts a comment, and JSON has none; delete it",
    ),
    (
        r#"{"alvo":[1,2,]}"#.as_bytes(),
        "E_TRAILING_COMMA - 1:14 a comma stands before a closing bracket with nothing after it; delete it",
    ),
    (
        r#"{"alvo":[1,“2”]}"#.as_bytes(),
        r#"E_SMART_QUOTES alvo 1:12 the quote “ is curly, JSON wants the straight "; a phone or a web page put it there: type the quotes again on a computer"#,
    ),
    (
        "123".as_bytes(),
        r#"E_NOT_OBJECT - - the body is a bare value, expected an object: {"segredo":"…","acao":"COMPRA","ativo":"BTCUSDT","qtd":0.01}"#,
    ),
    (
        "null".as_bytes(),
        r#"E_NOT_OBJECT - - the body is a bare value, expected an object: {"segredo":"…","acao":"COMPRA","ativo":"BTCUSDT","qtd":0.01}"#,
    ),
    (
        r#""compra""#.as_bytes(),
        r#"E_NOT_OBJECT - - the body is a text, expected an object: {"segredo":"…","acao":"COMPRA","ativo":"BTCUSDT","qtd":0.01}"#,
    ),
    (
        r#"{"a":"b":"c"}"#.as_bytes(),
        "E_SYNTAX a 1:9 expected a comma after a, found :",
    ),
    (
        "{,}".as_bytes(),
        "E_SYNTAX - 1:2 expected a key in double quotes, found ,",
    ),
    (
        r#"{"alvo":[1 2]}"#.as_bytes(),
        "E_SYNTAX - 1:12 the body is not valid JSON: expected `,` or `]`",
    ),
    (
        r#"{"time":2026-11-23T12:00:00Z}"#.as_bytes(),
        "E_UNQUOTED time 1:9 time is 2026-11-23T12 without quotes; put it in double quotes",
    ),
    (
        "acao: COMPRA".as_bytes(),
        r#"E_NO_ACTION - - the body is plain text and no JSON object, so no action is found in it; TradingView sends its own sentence when the message box of the alert is left as it was: write {"segredo":"…","acao":"COMPRA","ativo":"BTCUSDT","qtd":0.01} there"#,
    ),
];

#[test]
fn too_many_keys() {
    check_all(&[(
        many_keys().as_bytes(),
        "E_TOO_MANY_KEYS - - the message has 257 keys, the limit is 256",
    )]);
}
