//! JSON that is no signal, with the words that the sender gets.

use super::check_all;

#[test]
fn fields_that_can_not_be_read() {
    check_all(FIELDS_THAT_CAN_NOT_BE_READ);
}

const FIELDS_THAT_CAN_NOT_BE_READ: &[(&[u8], &str)] = &[
    (
        "{}".as_bytes(),
        r#"E_NO_ACTION action - nothing says what to do; add "action" (acao) with buy (compra), sell (venda) or close (fechar), or "position" with the position to reach"#,
    ),
    (
        r#"{"ativo":"BTCUSDT"}"#.as_bytes(),
        r#"E_NO_ACTION action - nothing says what to do; add "action" (acao) with buy (compra), sell (venda) or close (fechar), or "position" with the position to reach"#,
    ),
    (
        r#"{"acao":"compra"}"#.as_bytes(),
        r#"E_MISSING_FIELD symbol - the symbol is missing: add "symbol":"{{ticker}}" (ativo, papel)"#,
    ),
    (
        r#"{"acao":"compra","ativo":"X","quantdade":1}"#.as_bytes(),
        r#"E_UNKNOWN_KEY quantdade 1:42 the key "quantdade" is not known; did you mean "quantidade"? (a key that starts with _ is kept and never read)"#,
    ),
    (
        r#"{"acao":"compra","ativo":"X","sentiment":"long"}"#.as_bytes(),
        r#"E_UNKNOWN_KEY sentiment 1:42 the key "sentiment" is not known; known are secret (segredo), action (acao), symbol (ativo), quantity (qtd), id, strategy (estrategia), price (preco), limit_price (preco_limite), type (tipo), trigger (gatilho), stop, target (alvo), trail (stop_movel), position (posicao), position_size (tamanho_posicao), prev_position (posicao_anterior), prev_size, percent (percentual), time (horario), bar_time (vela), account (conta), exchange (bolsa), comment (comentario), order_id, interval (tf), currency and v; put _ in front of a key that Ponte shall not read"#,
    ),
    (
        r#"{"acao":"compra","ativo":"X","zzzzzzzz":1}"#.as_bytes(),
        r#"E_UNKNOWN_KEY zzzzzzzz 1:41 the key "zzzzzzzz" is not known; known are secret (segredo), action (acao), symbol (ativo), quantity (qtd), id, strategy (estrategia), price (preco), limit_price (preco_limite), type (tipo), trigger (gatilho), stop, target (alvo), trail (stop_movel), position (posicao), position_size (tamanho_posicao), prev_position (posicao_anterior), prev_size, percent (percentual), time (horario), bar_time (vela), account (conta), exchange (bolsa), comment (comentario), order_id, interval (tf), currency and v; put _ in front of a key that Ponte shall not read"#,
    ),
    (
        r#"{"acao":"COMPAR","ativo":"X"}"#.as_bytes(),
        r#"E_UNKNOWN_ACTION acao 1:9 acao "COMPAR" is not known; did you mean "compra"?"#,
    ),
    (
        r#"{"acao":"b","ativo":"X"}"#.as_bytes(),
        r#"E_UNKNOWN_ACTION acao 1:9 acao "b" is not known; known are buy (compra), sell (venda), enter_long, enter_short, close (fechar), close_long, close_short, reverse (inverter), cancel (cancelar) and heartbeat (ping)"#,
    ),
    (
        r#"{"acao":"stop","ativo":"X"}"#.as_bytes(),
        r#"E_AMBIGUOUS_ACTION acao 1:9 acao "stop" can mean a stop loss, a stop order or leaving the position; write "close" (fechar) to leave, "type":"stop" with buy or sell for a stop order, or the field "stop" for the stop loss of an entry"#,
    ),
    (
        r#"{"acao":"","ativo":"X"}"#.as_bytes(),
        "E_EMPTY_FIELD acao 1:9 acao is empty; fill it in or leave the field out",
    ),
    (
        r#"{"acao":1,"ativo":"X"}"#.as_bytes(),
        "E_WRONG_TYPE acao 1:9 acao is a number, expected a text in double quotes",
    ),
    (
        r#"{"acao":null,"ativo":"X"}"#.as_bytes(),
        "E_WRONG_TYPE acao 1:9 acao is null, expected a text in double quotes",
    ),
    (
        r#"{"acao":true}"#.as_bytes(),
        "E_WRONG_TYPE acao 1:9 acao is true or false, expected a text in double quotes",
    ),
    (
        r#"{"acao":"compra","ativo":"X","qtd":"1,234"}"#.as_bytes(),
        r#"E_AMBIGUOUS_NUMBER qtd 1:36 qtd "1,234" can be read as 1234 and as 1.234; write one of these two"#,
    ),
    (
        r#"{"acao":"compra","ativo":"X","qtd":"R$ 1.000,00"}"#.as_bytes(),
        r#"E_MONEY qtd 1:36 qtd "R$ 1.000,00" is an amount of money; expected a bare number such as 0.01"#,
    ),
    (
        r#"{"acao":"compra","ativo":"X","preco":"R$ 38,45"}"#.as_bytes(),
        r#"E_MONEY preco 1:38 preco "R$ 38,45" is an amount of money; expected a bare number such as 0.01"#,
    ),
    (
        r#"{"acao":"compra","ativo":"X","qtd":"0.5 lot"}"#.as_bytes(),
        r#"E_UNIT qtd 1:36 qtd "0.5 lot" has the unit "lot"; write the bare number 0.5, in the units of the symbol"#,
    ),
    (
        r#"{"acao":"compra","ativo":"X","qtd":"100 USDT"}"#.as_bytes(),
        r#"E_UNIT qtd 1:36 qtd "100 USDT" has the unit "USDT"; write the bare number 100, in the units of the symbol"#,
    ),
    (
        r#"{"acao":"compra","ativo":"X","qtd":"10%"}"#.as_bytes(),
        "E_PERCENT qtd 1:36 10% is a part of a position, which only an exit can leave; a route can size entries by a percentage of the equity",
    ),
    (
        r#"{"acao":"compra","ativo":"X","percent":10}"#.as_bytes(),
        "E_PERCENT percent 1:40 10% is a part of a position, which only an exit can leave; a route can size entries by a percentage of the equity",
    ),
    (
        r#"{"acao":"compra","ativo":"X","qtd":0}"#.as_bytes(),
        "E_NOT_POSITIVE qtd 1:36 qtd is 0, a quantity must be above 0",
    ),
    (
        r#"{"acao":"compra","ativo":"X","qtd":-3}"#.as_bytes(),
        "E_NOT_POSITIVE qtd 1:36 qtd is -3, a quantity must be above 0",
    ),
    (
        r#"{"acao":"compra","ativo":"X","qtd":""}"#.as_bytes(),
        "E_NO_NUMBER qtd 1:36 qtd is empty, which is no number; Pine had no value there: test it with na(), or leave the field out",
    ),
    (
        r#"{"acao":"compra","ativo":"X","qtd":"-"}"#.as_bytes(),
        "E_NO_NUMBER qtd 1:36 qtd is -, which is no number; Pine had no value there: test it with na(), or leave the field out",
    ),
    (
        r#"{"acao":"compra","ativo":"X","qtd":null}"#.as_bytes(),
        "E_NO_NUMBER qtd 1:36 qtd is null, which is no number; Pine had no value there: test it with na(), or leave the field out",
    ),
    (
        r#"{"acao":"compra","ativo":"X","qtd":"NaN"}"#.as_bytes(),
        "E_NO_NUMBER qtd 1:36 qtd is NaN, which is no number; Pine had no value there: test it with na(), or leave the field out",
    ),
    (
        r#"{"acao":"compra","ativo":"X","qtd":true}"#.as_bytes(),
        "E_WRONG_TYPE qtd 1:36 qtd is true or false, expected a number",
    ),
    (
        r#"{"acao":"compra","ativo":"X","qtd":[1]}"#.as_bytes(),
        "E_WRONG_TYPE qtd 1:36 qtd is an array, expected a number",
    ),
    (
        r#"{"acao":"compra","ativo":"X","qtd":"abc"}"#.as_bytes(),
        r#"E_BAD_NUMBER qtd 1:36 qtd "abc" is not a number; expected one such as 0.01"#,
    ),
    (
        r#"{"acao":"compra","ativo":"X","qtd":0.00000000000000000000000000001}"#.as_bytes(),
        r##"E_TOO_MANY_DIGITS qtd 1:36 qtd 0.00000000000000000000000000001 has more digits than can be held exactly, which are 28; round it in Pine, with str.tostring(x, "#.########")"##,
    ),
    (
        r#"{"acao":"compra","ativo":"X","preco":0}"#.as_bytes(),
        "E_NOT_POSITIVE preco 1:38 preco is 0, a price must be above 0",
    ),
    (
        r#"{"acao":"compra","ativo":"X","stop":"5%"}"#.as_bytes(),
        "E_PERCENT stop 1:37 stop is 5%, expected a plain number; only exits can be given in percent",
    ),
    (
        r#"{"acao":"compra","ativo":"X","alvo":[]}"#.as_bytes(),
        "E_NO_NUMBER alvo 1:37 alvo is [], which is no number; Pine had no value there: test it with na(), or leave the field out",
    ),
    (
        r#"{"acao":"compra","ativo":"X","alvo":[1,2,3,4,5,6,7,8,9]}"#.as_bytes(),
        "E_TOO_MANY_TARGETS alvo 1:37 alvo has 9 prices, the limit is 8",
    ),
    (
        r#"{"acao":"compra","ativo":"X","alvo":[1,"NaN"]}"#.as_bytes(),
        "E_NO_NUMBER alvo 1:37 alvo is NaN, which is no number; Pine had no value there: test it with na(), or leave the field out",
    ),
    (
        r#"{"acao":"compra","ativo":"X","alvo":{"a":1}}"#.as_bytes(),
        "E_WRONG_TYPE alvo 1:37 alvo is an object, expected a number",
    ),
    (
        r#"{"acao":"fechar","ativo":"X","percent":0}"#.as_bytes(),
        "E_PERCENT percent 1:40 percent is 0%, a percentage of a position is above 0 and at most 100",
    ),
    (
        r#"{"acao":"fechar","ativo":"X","percent":100.01}"#.as_bytes(),
        "E_PERCENT percent 1:40 percent is 100.01%, a percentage of a position is above 0 and at most 100",
    ),
    (
        r#"{"acao":"fechar","ativo":"X","qtd":"120%"}"#.as_bytes(),
        "E_PERCENT qtd 1:36 qtd is 120%, a percentage of a position is above 0 and at most 100",
    ),
    (
        r#"{"acao":"fechar","ativo":"X","qtd":1,"percent":50}"#.as_bytes(),
        "E_CONTRADICTION percent 1:48 quantity and percent are both given; an exit takes one of them",
    ),
    (
        r#"{"acao":"compra","ativo":"X","time":"2026-11-23T12:00:00"}"#.as_bytes(),
        r#"E_BAD_TIME time 1:37 time "2026-11-23T12:00:00" is not a moment; the time zone is missing: append Z for UTC"#,
    ),
    (
        r#"{"acao":"compra","ativo":"X","time":"23/11/2026 12:00"}"#.as_bytes(),
        r#"E_BAD_TIME time 1:37 time "23/11/2026 12:00" is not a moment; expected a text such as 2026-11-23T12:00:00Z, which {{timenow}} and {{time}} give, or milliseconds since 1970"#,
    ),
    (
        r#"{"acao":"compra","ativo":"X","time":946684799}"#.as_bytes(),
        "E_TIME_RANGE time 1:37 time 946684799 is not between 2000 and 2100; expected seconds, milliseconds or microseconds since 1970, or a text such as 2026-11-23T12:00:00Z",
    ),
    (
        r#"{"acao":"compra","ativo":"X","time":"2100-01-01T00:00:00Z"}"#.as_bytes(),
        "E_TIME_RANGE time 1:37 time 2100-01-01T00:00:00Z is not between 2000 and 2100; expected seconds, milliseconds or microseconds since 1970, or a text such as 2026-11-23T12:00:00Z",
    ),
    (
        r#"{"acao":"compra","ativo":"X","bar":"NaN"}"#.as_bytes(),
        "E_NO_NUMBER bar 1:36 bar is NaN, which is no number; Pine had no value there: test it with na(), or leave the field out",
    ),
    (
        r#"{"acao":"compra","ativo":"X","time":null}"#.as_bytes(),
        "E_WRONG_TYPE time 1:37 time is null, expected a text in double quotes",
    ),
    (
        r#"{"acao":"compra","ativo":"X","time":1.5}"#.as_bytes(),
        "E_TIME_RANGE time 1:37 time 1.5 is not between 2000 and 2100; expected seconds, milliseconds or microseconds since 1970, or a text such as 2026-11-23T12:00:00Z",
    ),
    (
        r#"{"acao":"compra","ativo":"BTC USDT"}"#.as_bytes(),
        r#"E_BAD_SYMBOL ativo 1:26 ativo "BTC USDT" has white space in it; expected one such as BTCUSDT or BINANCE:BTCUSDT"#,
    ),
    (
        r#"{"acao":"compra","ativo":"A:B:C"}"#.as_bytes(),
        r#"E_BAD_SYMBOL ativo 1:26 ativo "A:B:C" is not one symbol; expected one such as BTCUSDT or BINANCE:BTCUSDT"#,
    ),
    (
        r#"{"acao":"compra","ativo":":B"}"#.as_bytes(),
        r#"E_BAD_SYMBOL ativo 1:26 ativo ":B" is not one symbol; expected one such as BTCUSDT or BINANCE:BTCUSDT"#,
    ),
    (
        r#"{"acao":"compra","ativo":"A:"}"#.as_bytes(),
        r#"E_BAD_SYMBOL ativo 1:26 ativo "A:" is empty; expected one such as BTCUSDT or BINANCE:BTCUSDT"#,
    ),
    (
        r#"{"acao":"compra","ativo":""}"#.as_bytes(),
        "E_EMPTY_FIELD ativo 1:26 ativo is empty; fill it in or leave the field out",
    ),
    (
        r#"{"acao":"compra","ativo":7}"#.as_bytes(),
        "E_WRONG_TYPE ativo 1:26 ativo is a number, expected a text in double quotes",
    ),
    (
        r#"{"acao":"compra","ativo":"BINANCE:BTCUSDT","exchange":"BYBIT"}"#.as_bytes(),
        r#"E_CONTRADICTION ativo 1:26 "BINANCE:BTCUSDT" is of the exchange BINANCE and exchange is BYBIT; leave one of them out"#,
    ),
    (
        r#"{"acao":"compra","ativo":"CL1!","exchange":"NYMEX_DL"}"#.as_bytes(),
        "E_DELAYED_DATA exchange 1:44 exchange names the exchange NYMEX_DL, which is TradingView's delayed feed: the alert ran on old prices; subscribe to real-time data of NYMEX at TradingView and create the alert again",
    ),
    (
        r#"{"acao":"compra","ativo":"NYMEX_DLY:CL1!"}"#.as_bytes(),
        "E_DELAYED_DATA ativo 1:26 ativo names the exchange NYMEX_DLY, which is TradingView's delayed feed: the alert ran on old prices; subscribe to real-time data of NYMEX at TradingView and create the alert again",
    ),
    (
        r#"{"acao":"compra","ativo":"X","conta":""}"#.as_bytes(),
        "E_EMPTY_FIELD conta 1:38 conta is empty; fill it in or leave the field out",
    ),
    (
        r#"{"acao":"compra","ativo":"X","id":""}"#.as_bytes(),
        "E_EMPTY_FIELD id 1:35 id is empty; fill it in or leave the field out",
    ),
    (
        r#"{"acao":"compra","ativo":"X","comment":"a\nb"}"#.as_bytes(),
        r#"E_CONTROL_CHAR comment 1:40 comment holds the control character \u{a}; a text is one line, put a space there"#,
    ),
    (
        r#"{"acao":"compra","ativo":"X","_x":{"a":1}}"#.as_bytes(),
        "E_WRONG_TYPE _x 1:35 _x is an object, expected a text or a number",
    ),
];

#[test]
fn wishes_that_contradict_themselves() {
    check_all(WISHES_THAT_CONTRADICT_THEMSELVES);
}

const WISHES_THAT_CONTRADICT_THEMSELVES: &[(&[u8], &str)] = &[
        (r#"{"acao":"compra","ativo":"X","posicao":"comprado","posicao_anterior":"vendido","qtd":2}"#.as_bytes(), r#"E_NEEDS_SIZE posicao 1:40 the position turns from short to long, and TradingView's contracts of a reversal are the old position and the new one together, which would open too much; add "position_size":{{strategy.market_position_size}}"#),
        (r#"{"acao":"compra","ativo":"X","posicao":"vendido","qtd":2}"#.as_bytes(), r#"E_NEEDS_SIZE posicao 1:40 buy with a position that stays short leaves a part of it, and the size of the rest is not told; add "position_size":{{strategy.market_position_size}}"#),
        (r#"{"acao":"reverse","ativo":"X","position":"long","qtd":2}"#.as_bytes(), r#"E_NEEDS_SIZE position 1:42 a reversal to long comes without the new size; add "position_size":{{strategy.market_position_size}}"#),
        (r#"{"ativo":"X","position":"long"}"#.as_bytes(), r#"E_NEEDS_SIZE position 1:25 position is long without a size; add "position_size":{{strategy.market_position_size}}"#),
        (r#"{"acao":"fechar","ativo":"X","position":"long"}"#.as_bytes(), "E_CONTRADICTION acao 1:9 the action is close and the position after it is long; both can't be meant: leave one of them out"),
        (r#"{"acao":"enter_long","ativo":"X","position":"short"}"#.as_bytes(), "E_CONTRADICTION acao 1:9 the action is enter_long and the position after it is short; both can't be meant: leave one of them out"),
        (r#"{"acao":"enter_long","ativo":"X","position":"flat"}"#.as_bytes(), "E_CONTRADICTION acao 1:9 the action is enter_long and the position after it is 0; both can't be meant: leave one of them out"),
        (r#"{"acao":"close_long","ativo":"X","position":-1}"#.as_bytes(), "E_CONTRADICTION acao 1:9 the action is close_long and the position after it is -1; both can't be meant: leave one of them out"),
        (r#"{"acao":"cancel","ativo":"X","position":"flat"}"#.as_bytes(), "E_CONTRADICTION acao 1:9 the action is cancel and the position after it is 0; both can't be meant: leave one of them out"),
        (r#"{"acao":"ping","position":1}"#.as_bytes(), "E_CONTRADICTION acao 1:9 the action is heartbeat and the position after it is 1; both can't be meant: leave one of them out"),
        (r#"{"acao":"reverse","ativo":"X","position":"flat"}"#.as_bytes(), "E_CONTRADICTION acao 1:9 the action is reverse and the position after it is 0; both can't be meant: leave one of them out"),
        (r#"{"ativo":"X","position":"long","position_size":-3}"#.as_bytes(), "E_CONTRADICTION position_size 1:48 position is long and position_size is -3; send {{strategy.market_position}} with {{strategy.market_position_size}}"),
        (r#"{"ativo":"X","position":"flat","position_size":3}"#.as_bytes(), "E_CONTRADICTION position_size 1:48 position is flat and position_size is 3; send {{strategy.market_position}} with {{strategy.market_position_size}}"),
        (r#"{"ativo":"X","position":"long","position_size":0}"#.as_bytes(), "E_CONTRADICTION position_size 1:48 position is long and position_size is 0; send {{strategy.market_position}} with {{strategy.market_position_size}}"),
        (r#"{"ativo":"X","position":3,"position_size":2}"#.as_bytes(), "E_CONTRADICTION position 1:25 position is 3 and position_size is 2; they must be the same size"),
        (r#"{"ativo":"X","position":-3,"position_size":0}"#.as_bytes(), "E_CONTRADICTION position 1:25 position is -3 and position_size is 0; they must be the same size"),
        (r#"{"ativo":"X","position_size":3}"#.as_bytes(), r#"E_MISSING_FIELD position - position_size is given without position, so its side is not known; add "position":"{{strategy.market_position}}""#),
        (r#"{"acao":"buy","ativo":"X","position_size":3}"#.as_bytes(), r#"E_MISSING_FIELD position - position_size is given without position, so its side is not known; add "position":"{{strategy.market_position}}""#),
        (r#"{"ativo":"X","position":"up"}"#.as_bytes(), r#"E_UNKNOWN_POSITION position 1:25 position "up" is not known; expected long (comprado), short (vendido), flat (zerado) or a signed number such as -3"#),
        (r#"{"ativo":"X","position":""}"#.as_bytes(), "E_NO_NUMBER position 1:25 position is empty, which is no number; Pine had no value there: test it with na(), or leave the field out"),
        (r#"{"ativo":"X","position":"long","qtd":"50%"}"#.as_bytes(), "E_PERCENT qtd 1:38 50% is a part of a position, which only an exit can leave; a route can size entries by a percentage of the equity"),
        (r#"{"acao":"fechar","ativo":"X","position":"flat","percent":50}"#.as_bytes(), "E_CONTRADICTION percent 1:58 percent is 50 and position tells the size of what is left; send one of them"),
        (r#"{"acao":"compra","ativo":"X","tipo":"limite"}"#.as_bytes(), "E_MISSING_FIELD price - an order of the type limit needs price (preco); add it"),
        (r#"{"acao":"compra","ativo":"X","tipo":"stop"}"#.as_bytes(), "E_MISSING_FIELD trigger - an order of the type stop needs trigger (gatilho); add it"),
        (r#"{"acao":"compra","ativo":"X","tipo":"stop_limit","preco":1}"#.as_bytes(), "E_MISSING_FIELD trigger - an order of the type stop_limit needs trigger (gatilho); add it"),
        (r#"{"acao":"compra","ativo":"X","tipo":"stop_limit","gatilho":1}"#.as_bytes(), "E_MISSING_FIELD price - an order of the type stop_limit needs price (preco); add it"),
        (r#"{"acao":"compra","ativo":"X","gatilho":1}"#.as_bytes(), r#"E_CONTRADICTION gatilho 1:40 trigger is 1 and the type is market; write "type":"stop" for an order that waits for its trigger"#),
        (r#"{"acao":"compra","ativo":"X","preco_limite":1}"#.as_bytes(), r#"E_CONTRADICTION preco_limite 1:45 limit_price is 1 and the type is market; write "type":"limit" or "type":"stop_limit""#),
        (r#"{"acao":"compra","ativo":"X","tipo":"limit","preco":1,"preco_limite":2}"#.as_bytes(), "E_CONTRADICTION preco_limite 1:70 price is 1 and limit_price is 2; with the type limit both name the limit: send one of them"),
        (r#"{"acao":"compra","ativo":"X","tipo":"limit","preco":1,"gatilho":2}"#.as_bytes(), r#"E_CONTRADICTION gatilho 1:65 trigger is 2 and the type is limit; write "type":"stop_limit" for a limit order that waits for its trigger"#),
        (r#"{"acao":"compra","ativo":"X","tipo":"stop","preco_limite":1,"gatilho":2}"#.as_bytes(), r#"E_CONTRADICTION preco_limite 1:59 limit_price is 1 and the type is stop; write "type":"limit" or "type":"stop_limit""#),
        (r#"{"acao":"compra","ativo":"X","tipo":"limitt","preco":1}"#.as_bytes(), r#"E_UNKNOWN_TYPE tipo 1:37 tipo "limitt" is not known; did you mean "limit"? known are market (mercado), limit (limite), stop and stop_limit"#),
        (r#"{"acao":"compra","ativo":"X","tipo":"trailing"}"#.as_bytes(), r#"E_UNKNOWN_TYPE tipo 1:37 tipo "trailing" is not known; known are market (mercado), limit (limite), stop and stop_limit"#),
        (r#"{"acao":"fechar","ativo":"X","tipo":"limit","preco":1}"#.as_bytes(), "E_CONTRADICTION tipo 1:37 an exit is always at market; the types limit, stop and stop_limit are for buy, sell, enter_long and enter_short"),
        (r#"{"acao":"reverse","ativo":"X","tipo":"limit","preco":1}"#.as_bytes(), "E_CONTRADICTION tipo 1:38 a reversal is always at market; the types limit, stop and stop_limit are for buy, sell, enter_long and enter_short"),
        (r#"{"ativo":"X","position":1,"tipo":"limit","preco":1}"#.as_bytes(), "E_CONTRADICTION tipo 1:34 a target position is always at market; the types limit, stop and stop_limit are for buy, sell, enter_long and enter_short"),
        (r#"{"acao":"fechar","ativo":"X","stop":1}"#.as_bytes(), "E_PROTECTION - - stop and target protect what an entry opens, and an exit opens nothing; send them with the entry only"),
        (r#"{"acao":"cancelar","ativo":"X","alvo":1}"#.as_bytes(), "E_PROTECTION - - stop and target protect what an entry opens, and a cancel opens nothing; send them with the entry only"),
        (r#"{"ativo":"X","position":"flat","stop":1}"#.as_bytes(), "E_PROTECTION - - stop and target protect what an entry opens, and a flat position opens nothing; send them with the entry only"),
        (r#"{"acao":"ping","stop":1}"#.as_bytes(), "E_PROTECTION - - stop and target protect what an entry opens, and a heartbeat opens nothing; send them with the entry only"),
        (r#"{"acao":"cancelar"}"#.as_bytes(), r#"E_MISSING_FIELD symbol - the symbol is missing: add "symbol":"{{ticker}}" (ativo, papel)"#),
        (r#"{"position":"flat"}"#.as_bytes(), r#"E_MISSING_FIELD symbol - the symbol is missing: add "symbol":"{{ticker}}" (ativo, papel)"#),];

#[test]
fn trailing_stops_that_can_not_be() {
    check_all(&[
        (
            r#"{"acao":"compra","ativo":"X","stop":9,"trail":1}"#.as_bytes(),
            "E_CONTRADICTION trail 1:47 stop is a fixed price and trail follows it; send one of them",
        ),
        (
            r#"{"acao":"compra","ativo":"X","stop_movel":"100%"}"#.as_bytes(),
            "E_PERCENT stop_movel 1:43 stop_movel is 100%, a trailing stop stays less than 100% behind the price",
        ),
        (
            r#"{"acao":"fechar","ativo":"X","trail":1}"#.as_bytes(),
            "E_PROTECTION - - stop and target protect what an entry opens, and an exit opens nothing; send them with the entry only",
        ),
    ]);
}

#[test]
fn texts_that_are_too_long() {
    check_all(&[
        (
            [
                r#"{"acao":"compra","ativo":"X","strategy":""#,
                &"a".repeat(65),
                r#""}"#,
            ]
            .concat()
            .as_bytes(),
            "E_TOO_LONG strategy 1:41 strategy has 65 bytes, the limit is 64",
        ),
        (
            [
                r#"{"acao":"compra","ativo":"X","comment":""#,
                &"a".repeat(1025),
                r#""}"#,
            ]
            .concat()
            .as_bytes(),
            "E_TOO_LONG comment 1:40 comment has 1025 bytes, the limit is 1024",
        ),
    ]);
}
