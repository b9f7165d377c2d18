//! Answers in numbers: the trade server's return codes and what `last_error()` gives.

use serde::{Serialize, Serializer};

/// The trade server's return code of a request (MQL5 Reference, "Trade Server Return Codes").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Retcode(pub(super) u32);

impl Retcode {
    /// `order_check` found nothing wrong.
    pub(super) const CHECKED: Retcode = Retcode(0);
    pub(super) const REQUOTE: Retcode = Retcode(10_004);
    pub(super) const REJECT: Retcode = Retcode(10_006);
    pub(super) const PLACED: Retcode = Retcode(10_008);
    pub(super) const DONE: Retcode = Retcode(10_009);
    pub(super) const DONE_PARTIAL: Retcode = Retcode(10_010);
    pub(super) const TIMEOUT: Retcode = Retcode(10_012);
    pub(super) const INVALID: Retcode = Retcode(10_013);
    pub(super) const INVALID_VOLUME: Retcode = Retcode(10_014);
    pub(super) const INVALID_PRICE: Retcode = Retcode(10_015);
    pub(super) const INVALID_STOPS: Retcode = Retcode(10_016);
    pub(super) const TRADE_DISABLED: Retcode = Retcode(10_017);
    pub(super) const MARKET_CLOSED: Retcode = Retcode(10_018);
    pub(super) const NO_MONEY: Retcode = Retcode(10_019);
    pub(super) const PRICE_CHANGED: Retcode = Retcode(10_020);
    pub(super) const PRICE_OFF: Retcode = Retcode(10_021);
    pub(super) const INVALID_EXPIRATION: Retcode = Retcode(10_022);
    pub(super) const NO_CHANGES: Retcode = Retcode(10_025);
    pub(super) const SERVER_DISABLES_AT: Retcode = Retcode(10_026);
    pub(super) const CLIENT_DISABLES_AT: Retcode = Retcode(10_027);
    pub(super) const FROZEN: Retcode = Retcode(10_029);
    pub(super) const INVALID_FILL: Retcode = Retcode(10_030);
    pub(super) const CONNECTION: Retcode = Retcode(10_031);
    pub(super) const LIMIT_ORDERS: Retcode = Retcode(10_033);
    pub(super) const LIMIT_VOLUME: Retcode = Retcode(10_034);
    pub(super) const INVALID_ORDER: Retcode = Retcode(10_035);
    pub(super) const POSITION_CLOSED: Retcode = Retcode(10_036);
    pub(super) const INVALID_CLOSE_VOLUME: Retcode = Retcode(10_038);
    pub(super) const CLOSE_ORDER_EXIST: Retcode = Retcode(10_039);
    pub(super) const LONG_ONLY: Retcode = Retcode(10_042);
    pub(super) const SHORT_ONLY: Retcode = Retcode(10_043);
    pub(super) const CLOSE_ONLY: Retcode = Retcode(10_044);
    pub(super) const FIFO_CLOSE: Retcode = Retcode(10_045);
    pub(super) const HEDGE_PROHIBITED: Retcode = Retcode(10_046);

    /// What a result's comment says with this code. The words are the terminal's in spirit; nothing may depend on them.
    pub(super) fn comment(self) -> &'static str {
        match self.0 {
            0 => "Done",
            10_004 => "Requote",
            10_006 => "Rejected",
            10_007 => "Canceled",
            10_008 => "Request placed",
            10_009 => "Request executed",
            10_010 => "Request executed partially",
            10_011 => "Request processing error",
            10_012 => "Request timed out",
            10_013 => "Invalid request",
            10_014 => "Invalid volume",
            10_015 => "Invalid price",
            10_016 => "Invalid stops",
            10_017 => "Trade disabled",
            10_018 => "Market closed",
            10_019 => "No money",
            10_020 => "Price changed",
            10_021 => "No prices",
            10_022 => "Invalid expiration",
            10_023 => "Order changed",
            10_024 => "Too many requests",
            10_025 => "No changes",
            10_026 => "AutoTrading disabled by server",
            10_027 => "AutoTrading disabled by client",
            10_028 => "Request locked",
            10_029 => "Frozen",
            10_030 => "Unsupported filling mode",
            10_031 => "No connection",
            10_032 => "Only for real accounts",
            10_033 => "Orders limit reached",
            10_034 => "Volume limit reached",
            10_035 => "Invalid order",
            10_036 => "Position closed",
            10_038 => "Invalid close volume",
            10_039 => "Close order already exists",
            10_040 => "Positions limit reached",
            10_041 => "Order activation rejected",
            10_042 => "Only long positions allowed",
            10_043 => "Only short positions allowed",
            10_044 => "Only position closing allowed",
            10_045 => "Close only by FIFO",
            10_046 => "Hedge prohibited",
            _ => "Unknown return code",
        }
    }
}

impl Serialize for Retcode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(self.0)
    }
}

/// What `last_error()` gives after a call: code and text (MQL5 Reference, "Python integration", `last_error`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct LastError(pub(super) i64, pub(super) String);

impl LastError {
    pub(super) fn success() -> LastError {
        LastError::of(1)
    }

    pub(super) fn invalid_arguments() -> LastError {
        LastError(-2, "Invalid arguments".to_owned())
    }

    /// An argument of that name has the wrong type or can't be such a value.
    pub(super) fn invalid(argument: &str) -> LastError {
        LastError(-2, format!("Invalid \"{argument}\" argument"))
    }

    /// That code with the package's text for it.
    pub(super) fn of(code: i64) -> LastError {
        let text = match code {
            1 => "Success",
            -2 => "Terminal: Invalid params",
            -3 => "Terminal: Out of memory",
            -4 => "Terminal: Not found",
            -5 => "Terminal: Incompatible versions",
            -6 => "Terminal: Authorization failed",
            -7 => "Terminal: Unsupported function",
            -8 => "Auto-Trading using Python API disabled in Terminal",
            -10_000 => "IPC call failed",
            -10_001 => "IPC send failed",
            -10_002 => "IPC recv failed",
            -10_003 => "IPC initialize failed",
            -10_004 => "No IPC connection",
            -10_005 => "IPC timeout",
            _ => "Terminal: Call failed",
        };
        LastError(code, text.to_owned())
    }
}
