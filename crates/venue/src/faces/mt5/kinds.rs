//! The enumerations of MetaTrader's trading, with the numbers the wire knows them by.

/// Which way an order, a deal or a position goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Side {
    Buy = 0,
    Sell = 1,
}

impl Side {
    pub(super) fn opposite(self) -> Side {
        match self {
            Side::Buy => Side::Sell,
            Side::Sell => Side::Buy,
        }
    }

    pub(super) fn is_buy(self) -> bool {
        self == Side::Buy
    }

    pub(super) fn code(self) -> u32 {
        self as u32
    }
}

/// ENUM_ORDER_TYPE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OrderKind {
    Buy = 0,
    Sell = 1,
    BuyLimit = 2,
    SellLimit = 3,
    BuyStop = 4,
    SellStop = 5,
    BuyStopLimit = 6,
    SellStopLimit = 7,
    CloseBy = 8,
}

/// What an order waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waits {
    /// Nothing: a market order.
    Nothing,
    /// A price that is better than the market's.
    Limit,
    /// A price that is worse than the market's.
    Stop,
    /// A worse price, and then a better one.
    StopLimit,
    /// Nothing: it closes one position by another.
    CloseBy,
}

impl OrderKind {
    const ALL: [OrderKind; 9] = [
        OrderKind::Buy,
        OrderKind::Sell,
        OrderKind::BuyLimit,
        OrderKind::SellLimit,
        OrderKind::BuyStop,
        OrderKind::SellStop,
        OrderKind::BuyStopLimit,
        OrderKind::SellStopLimit,
        OrderKind::CloseBy,
    ];

    pub(super) fn from_code(code: u32) -> Option<OrderKind> {
        OrderKind::ALL.into_iter().find(|kind| kind.code() == code)
    }

    pub(super) fn code(self) -> u32 {
        self as u32
    }

    pub(super) fn market(side: Side) -> OrderKind {
        match side {
            Side::Buy => OrderKind::Buy,
            Side::Sell => OrderKind::Sell,
        }
    }

    pub(super) fn limit(side: Side) -> OrderKind {
        match side {
            Side::Buy => OrderKind::BuyLimit,
            Side::Sell => OrderKind::SellLimit,
        }
    }

    pub(super) fn side(self) -> Side {
        match self {
            OrderKind::Buy
            | OrderKind::BuyLimit
            | OrderKind::BuyStop
            | OrderKind::BuyStopLimit
            | OrderKind::CloseBy => Side::Buy,
            OrderKind::Sell
            | OrderKind::SellLimit
            | OrderKind::SellStop
            | OrderKind::SellStopLimit => Side::Sell,
        }
    }

    pub(super) fn waits(self) -> Waits {
        match self {
            OrderKind::Buy | OrderKind::Sell => Waits::Nothing,
            OrderKind::BuyLimit | OrderKind::SellLimit => Waits::Limit,
            OrderKind::BuyStop | OrderKind::SellStop => Waits::Stop,
            OrderKind::BuyStopLimit | OrderKind::SellStopLimit => Waits::StopLimit,
            OrderKind::CloseBy => Waits::CloseBy,
        }
    }
}

/// ENUM_ORDER_TYPE_FILLING.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Filling {
    FillOrKill = 0,
    ImmediateOrCancel = 1,
    Return = 2,
    BookOrCancel = 3,
}

impl Filling {
    pub(super) fn from_code(code: u32) -> Option<Filling> {
        let all = [
            Filling::FillOrKill,
            Filling::ImmediateOrCancel,
            Filling::Return,
            Filling::BookOrCancel,
        ];
        all.into_iter().find(|filling| filling.code() == code)
    }

    pub(super) fn code(self) -> u32 {
        self as u32
    }
}

/// ENUM_ORDER_TYPE_TIME.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lifetime {
    UntilCancelled = 0,
    Day = 1,
    Specified = 2,
    SpecifiedDay = 3,
}

impl Lifetime {
    pub(super) fn from_code(code: u32) -> Option<Lifetime> {
        let all = [
            Lifetime::UntilCancelled,
            Lifetime::Day,
            Lifetime::Specified,
            Lifetime::SpecifiedDay,
        ];
        all.into_iter().find(|lifetime| lifetime.code() == code)
    }

    pub(super) fn code(self) -> u32 {
        self as u32
    }
}

/// ENUM_ORDER_STATE, those that an order here can be in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OrderState {
    Placed = 1,
    Canceled = 2,
    Partial = 3,
    Filled = 4,
    Rejected = 5,
    Expired = 6,
}

impl OrderState {
    pub(super) fn code(self) -> u32 {
        self as u32
    }
}

/// ENUM_ORDER_REASON and ENUM_DEAL_REASON, those that occur here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// A person at the terminal, or the dealer's desk.
    Client = 0,
    /// A program: the Python package or an expert.
    Expert = 3,
    StopLoss = 4,
    TakeProfit = 5,
    StopOut = 6,
}

impl Reason {
    pub(super) fn code(self) -> u32 {
        self as u32
    }
}

/// ENUM_DEAL_ENTRY.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    In = 0,
    Out = 1,
    InOut = 2,
    OutBy = 3,
}

impl Entry {
    pub(super) fn code(self) -> u32 {
        self as u32
    }
}

/// ENUM_SYMBOL_TRADE_EXECUTION.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Execution {
    Request = 0,
    Instant = 1,
    Market = 2,
    Exchange = 3,
}

impl Execution {
    pub(super) fn from_code(code: u32) -> Option<Execution> {
        let all = [
            Execution::Request,
            Execution::Instant,
            Execution::Market,
            Execution::Exchange,
        ];
        all.into_iter().find(|execution| execution.code() == code)
    }

    pub(super) fn code(self) -> u32 {
        self as u32
    }
}

/// ENUM_SYMBOL_TRADE_MODE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TradeMode {
    Disabled = 0,
    LongOnly = 1,
    ShortOnly = 2,
    CloseOnly = 3,
    Full = 4,
}

impl TradeMode {
    pub(super) fn from_code(code: u32) -> Option<TradeMode> {
        let all = [
            TradeMode::Disabled,
            TradeMode::LongOnly,
            TradeMode::ShortOnly,
            TradeMode::CloseOnly,
            TradeMode::Full,
        ];
        all.into_iter().find(|mode| mode.code() == code)
    }

    pub(super) fn code(self) -> u32 {
        self as u32
    }
}
