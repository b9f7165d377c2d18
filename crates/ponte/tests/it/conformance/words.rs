//! What the suite says to people, in both languages of the documents.

/// A text in English and in Portuguese.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Words {
    pub(super) english: &'static str,
    pub(super) portuguese: &'static str,
}

/// A text in both languages.
pub(super) const fn words(english: &'static str, portuguese: &'static str) -> Words {
    Words {
        english,
        portuguese,
    }
}

/// Why a behaviour does not apply to an adapter.
pub(super) type Why = Words;

pub(super) const NO_SUCH_FAULT: Why = words(
    "the venue can't be told to make this fault",
    "a bolsa de teste não sabe produzir esta falha",
);
pub(super) const IN_THIS_PROCESS: Why = words(
    "the venue lives in this process: nothing lies between",
    "a bolsa vive neste processo: não há nada no meio",
);
pub(super) const MEMORY_IS_THE_JOURNAL: Why = words(
    "its memory is the journal: the crash tests cover it",
    "a memória dela é o diário: os testes de queda cobrem isso",
);
pub(super) const ANY_SYMBOL: Why = words("it takes every symbol", "ela aceita qualquer símbolo");
pub(super) const NO_STOP: Why = words("it has no stop orders", "não tem ordens stop");
pub(super) const NO_STOP_LIMIT: Why =
    words("it has no stop-limit orders", "não tem ordens stop-limit");
pub(super) const NO_TRAILING: Why = words("it has no trailing stops", "não tem stop móvel");
pub(super) const NO_SHORT: Why = words(
    "it has no positions below zero",
    "não tem posições abaixo de zero",
);
pub(super) const NO_REDUCE_ONLY: Why = words(
    "it has no reduce-only orders",
    "não tem ordens que só reduzem",
);
pub(super) const NO_BRACKETS: Why = words("it has no brackets", "não tem ordens bracket");
pub(super) const NOTHING_HELD: Why = words(
    "what rests there holds nothing",
    "o que espera na bolsa não bloqueia nada",
);
pub(super) const NO_LIMITS: Why = words(
    "the venue has no rate limits",
    "a bolsa não tem limite de requisições",
);
pub(super) const LIMITS_WAIT: Why = words(
    "the venue refuses a limit order that the market has reached",
    "a bolsa recusa uma ordem limite que o mercado já alcançou",
);
pub(super) const NO_BANS: Why = words("the venue bans nobody", "a bolsa não bloqueia ninguém");
pub(super) const NO_TIME_LIMIT: Why = words(
    "the venue puts no time limit on an order under way",
    "a bolsa não põe prazo numa ordem a caminho",
);
pub(super) const ONE_AT_A_TIME: Why = words(
    "the terminal carries out one request after the other",
    "o terminal executa um pedido depois do outro",
);
pub(super) const ONE_TERMINAL: Why = words(
    "each account has a terminal of its own",
    "cada conta tem seu próprio terminal",
);
pub(super) const NO_LEVELS: Why = words(
    "its stops are orders, not levels of the position",
    "seus stops são ordens, não níveis da posição",
);
pub(super) const NO_CLOCK: Why = words(
    "the venue has no clock of its own",
    "a bolsa não tem relógio próprio",
);

/// Every reason, so that one that was written to a file is found again.
pub(super) const EVERY_WHY: &[Why] = &[
    NO_SUCH_FAULT,
    IN_THIS_PROCESS,
    MEMORY_IS_THE_JOURNAL,
    ANY_SYMBOL,
    NO_STOP,
    NO_STOP_LIMIT,
    NO_TRAILING,
    NO_SHORT,
    NO_REDUCE_ONLY,
    NO_BRACKETS,
    NOTHING_HELD,
    NO_LIMITS,
    LIMITS_WAIT,
    NO_BANS,
    NO_TIME_LIMIT,
    ONE_AT_A_TIME,
    ONE_TERMINAL,
    NO_LEVELS,
    NO_CLOCK,
];
