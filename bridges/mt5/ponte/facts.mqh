// What the terminal knows, as the protocol tells it: state, positions, orders, deals, symbols, ticks.

#define PONTE_ITEMS_MAX 500
#define PONTE_ITEMS_MIN 20
#define PONTE_WATCH_MAX 500
#define PONTE_SYMBOL_LENGTH_MAX 64
#define PONTE_TICK_GAP_MS 250
#define PONTE_HISTORY_GAP_MS 1000
#define PONTE_SLACK_SECONDS 93600

struct PonteWatch {
    string symbol;
    bool seen;          // still in Ponte's list
    double bid;
    double ask;
    double last;
    long time_msc;
    ulong told_tick;
};

PonteWatch g_watch[];
ulong g_told_deals[];      // tickets in ascending order
ulong g_told_ended[];
ulong g_telling_deals[];   // in the request that is under way
ulong g_telling_ended[];
ulong g_history_tick = 0;
bool g_changed = true;     // a trade event has come since the history was last read
bool g_more = false;       // the history has more than the request that is under way tells

// Where a ticket is in an ascending list, or where it would be.
int ticket_place(const ulong &list[], const ulong ticket) {
    int low = 0;
    int high = ArraySize(list);
    while(low < high) {
        int middle = (low + high) / 2;
        if(list[middle] < ticket) low = middle + 1;
        else high = middle;
    }
    return low;
}

bool ticket_in(const ulong &list[], const ulong ticket) {
    int place = ticket_place(list, ticket);
    return place < ArraySize(list) && list[place] == ticket;
}

void ticket_add(ulong &list[], const ulong ticket) {
    int place = ticket_place(list, ticket);
    int size = ArraySize(list);
    if(place < size && list[place] == ticket) return;
    if(ArrayResize(list, size + 1, 1024) < 0) return;
    for(int i = size; i > place; i--) list[i] = list[i - 1];
    list[place] = ticket;
}

bool account_flag(const ENUM_ACCOUNT_INFO_INTEGER property) {
    return AccountInfoInteger(property) != 0;
}

bool terminal_connected() {
    return TerminalInfoInteger(TERMINAL_CONNECTED) != 0;
}

// The button "Algo Trading", and the expert's own box "Allow Algo Trading".
bool trading_allowed() {
    return TerminalInfoInteger(TERMINAL_TRADE_ALLOWED) != 0 && MQLInfoInteger(MQL_TRADE_ALLOWED) != 0;
}

// The part of the state whose change is told at once.
string state_steady_json() {
    string out = truth_member("connected", terminal_connected());
    out += "," + truth_member("trade_allowed", trading_allowed());
    out += "," + truth_member("tradeapi_disabled", false);
    out += "," + truth_member("account_trade_allowed", account_flag(ACCOUNT_TRADE_ALLOWED));
    out += "," + truth_member("account_trade_expert", account_flag(ACCOUNT_TRADE_EXPERT));
    out += "," + whole_member("login", AccountInfoInteger(ACCOUNT_LOGIN));
    out += "," + text_member("server", AccountInfoString(ACCOUNT_SERVER));
    out += "," + text_member("company", AccountInfoString(ACCOUNT_COMPANY));
    out += "," + whole_member("account_trade_mode", AccountInfoInteger(ACCOUNT_TRADE_MODE));
    out += "," + whole_member("margin_mode", AccountInfoInteger(ACCOUNT_MARGIN_MODE));
    out += "," + text_member("currency", AccountInfoString(ACCOUNT_CURRENCY));
    out += "," + decimal_member("balance", AccountInfoDouble(ACCOUNT_BALANCE));
    out += "," + whole_member("leverage", AccountInfoInteger(ACCOUNT_LEVERAGE));
    out += "," + whole_member("build", TerminalInfoInteger(TERMINAL_BUILD));
    return out;
}

string state_json(const string steady) {
    string out = steady;
    out += "," + decimal_member("equity", AccountInfoDouble(ACCOUNT_EQUITY));
    out += "," + decimal_member("margin_free", AccountInfoDouble(ACCOUNT_MARGIN_FREE));
    out += "," + whole_member("ping_us", TerminalInfoInteger(TERMINAL_PING_LAST));
    out += "," + whole_member("server_time_ms", (long)TimeCurrent() * 1000);
    out += "," + whole_member("time_ms", (long)TimeGMT() * 1000);
    return "{" + out + "}";
}

// The selected position.
string position_json() {
    string out = whole_member("ticket", PositionGetInteger(POSITION_TICKET));
    out += "," + whole_member("identifier", PositionGetInteger(POSITION_IDENTIFIER));
    out += "," + text_member("symbol", PositionGetString(POSITION_SYMBOL));
    out += "," + whole_member("type", PositionGetInteger(POSITION_TYPE));
    out += "," + whole_member("magic", PositionGetInteger(POSITION_MAGIC));
    out += "," + decimal_member("volume", PositionGetDouble(POSITION_VOLUME));
    out += "," + decimal_member("price_open", PositionGetDouble(POSITION_PRICE_OPEN));
    out += "," + decimal_member("sl", PositionGetDouble(POSITION_SL));
    out += "," + decimal_member("tp", PositionGetDouble(POSITION_TP));
    out += "," + whole_member("time_ms", PositionGetInteger(POSITION_TIME_MSC));
    out += "," + text_member("comment", PositionGetString(POSITION_COMMENT));
    return "{" + out + "}";
}

// All open positions as a JSON list. False where one could not be read: then there is no list.
bool positions_json(string &out) {
    string list = "";
    int total = PositionsTotal();
    for(int i = 0; i < total; i++) {
        if(PositionGetTicket(i) == 0) return false;
        list = joined(list, position_json());
    }
    out = "[" + list + "]";
    return PositionsTotal() == total;
}

// The selected pending order.
string order_json() {
    string out = whole_member("ticket", OrderGetInteger(ORDER_TICKET));
    out += "," + text_member("symbol", OrderGetString(ORDER_SYMBOL));
    out += "," + whole_member("type", OrderGetInteger(ORDER_TYPE));
    out += "," + whole_member("state", OrderGetInteger(ORDER_STATE));
    out += "," + whole_member("magic", OrderGetInteger(ORDER_MAGIC));
    out += "," + whole_member("position_id", OrderGetInteger(ORDER_POSITION_ID));
    out += "," + decimal_member("volume_initial", OrderGetDouble(ORDER_VOLUME_INITIAL));
    out += "," + decimal_member("volume_current", OrderGetDouble(ORDER_VOLUME_CURRENT));
    out += "," + decimal_member("price_open", OrderGetDouble(ORDER_PRICE_OPEN));
    out += "," + decimal_member("price_stoplimit", OrderGetDouble(ORDER_PRICE_STOPLIMIT));
    out += "," + decimal_member("sl", OrderGetDouble(ORDER_SL));
    out += "," + decimal_member("tp", OrderGetDouble(ORDER_TP));
    out += "," + whole_member("reason", OrderGetInteger(ORDER_REASON));
    out += "," + whole_member("time_ms", OrderGetInteger(ORDER_TIME_SETUP_MSC));
    out += "," + whole_member("time_done_ms", 0);
    out += "," + text_member("comment", OrderGetString(ORDER_COMMENT));
    return "{" + out + "}";
}

// All pending orders as a JSON list. False where one could not be read.
bool orders_json(string &out) {
    string list = "";
    int total = OrdersTotal();
    for(int i = 0; i < total; i++) {
        if(OrderGetTicket(i) == 0) return false;
        list = joined(list, order_json());
    }
    out = "[" + list + "]";
    return OrdersTotal() == total;
}

// An order of the selected history.
string ended_order_json(const ulong ticket) {
    string out = whole_member("ticket", (long)ticket);
    out += "," + text_member("symbol", HistoryOrderGetString(ticket, ORDER_SYMBOL));
    out += "," + whole_member("type", HistoryOrderGetInteger(ticket, ORDER_TYPE));
    out += "," + whole_member("state", HistoryOrderGetInteger(ticket, ORDER_STATE));
    out += "," + whole_member("magic", HistoryOrderGetInteger(ticket, ORDER_MAGIC));
    out += "," + whole_member("position_id", HistoryOrderGetInteger(ticket, ORDER_POSITION_ID));
    out += "," + decimal_member("volume_initial", HistoryOrderGetDouble(ticket, ORDER_VOLUME_INITIAL));
    out += "," + decimal_member("volume_current", HistoryOrderGetDouble(ticket, ORDER_VOLUME_CURRENT));
    out += "," + decimal_member("price_open", HistoryOrderGetDouble(ticket, ORDER_PRICE_OPEN));
    out += "," + decimal_member("price_stoplimit", HistoryOrderGetDouble(ticket, ORDER_PRICE_STOPLIMIT));
    out += "," + decimal_member("sl", HistoryOrderGetDouble(ticket, ORDER_SL));
    out += "," + decimal_member("tp", HistoryOrderGetDouble(ticket, ORDER_TP));
    out += "," + whole_member("reason", HistoryOrderGetInteger(ticket, ORDER_REASON));
    out += "," + whole_member("time_ms", HistoryOrderGetInteger(ticket, ORDER_TIME_SETUP_MSC));
    out += "," + whole_member("time_done_ms", HistoryOrderGetInteger(ticket, ORDER_TIME_DONE_MSC));
    out += "," + text_member("comment", HistoryOrderGetString(ticket, ORDER_COMMENT));
    return "{" + out + "}";
}

// A deal of the selected history.
string deal_json(const ulong ticket) {
    string out = whole_member("ticket", (long)ticket);
    out += "," + whole_member("order", HistoryDealGetInteger(ticket, DEAL_ORDER));
    out += "," + whole_member("position_id", HistoryDealGetInteger(ticket, DEAL_POSITION_ID));
    out += "," + text_member("symbol", HistoryDealGetString(ticket, DEAL_SYMBOL));
    out += "," + whole_member("type", HistoryDealGetInteger(ticket, DEAL_TYPE));
    out += "," + whole_member("entry", HistoryDealGetInteger(ticket, DEAL_ENTRY));
    out += "," + whole_member("magic", HistoryDealGetInteger(ticket, DEAL_MAGIC));
    out += "," + whole_member("reason", HistoryDealGetInteger(ticket, DEAL_REASON));
    out += "," + decimal_member("volume", HistoryDealGetDouble(ticket, DEAL_VOLUME));
    out += "," + decimal_member("price", HistoryDealGetDouble(ticket, DEAL_PRICE));
    out += "," + decimal_member("commission", HistoryDealGetDouble(ticket, DEAL_COMMISSION));
    out += "," + decimal_member("fee", HistoryDealGetDouble(ticket, DEAL_FEE));
    out += "," + decimal_member("swap", HistoryDealGetDouble(ticket, DEAL_SWAP));
    out += "," + decimal_member("profit", HistoryDealGetDouble(ticket, DEAL_PROFIT));
    out += "," + whole_member("time_ms", HistoryDealGetInteger(ticket, DEAL_TIME_MSC));
    out += "," + text_member("comment", HistoryDealGetString(ticket, DEAL_COMMENT));
    return "{" + out + "}";
}

// Selects the history of the last hours. It is kept by the server's clock, which is not UTC and is
// known only while there are quotes, so that there is slack on both sides.
bool history_select(const long hours) {
    long now = (long)TimeGMT();
    long server = (long)TimeCurrent();
    long first = server > 0 && server < now ? server : now;
    long last = server > now ? server : now;
    long from = first - hours * 3600 - PONTE_SLACK_SECONDS;
    if(from < 0) from = 0;
    return HistorySelect((datetime)from, (datetime)(last + PONTE_SLACK_SECONDS));
}

// The deals of the selected history that this session has not told yet: the newest that fit, in the
// order in which they came.
string deals_json(const int limit) {
    ulong tickets[];
    for(int i = HistoryDealsTotal() - 1; i >= 0 && ArraySize(tickets) < limit; i--) {
        ulong ticket = HistoryDealGetTicket(i);
        if(ticket == 0 || ticket_in(g_told_deals, ticket)) continue;
        ArrayResize(tickets, ArraySize(tickets) + 1, 64);
        tickets[ArraySize(tickets) - 1] = ticket;
    }
    string list = "";
    for(int i = ArraySize(tickets) - 1; i >= 0; i--) {
        list = joined(list, deal_json(tickets[i]));
        ticket_add(g_telling_deals, tickets[i]);
    }
    return list;
}

// The same for orders that are over.
string ended_orders_json(const int limit) {
    ulong tickets[];
    for(int i = HistoryOrdersTotal() - 1; i >= 0 && ArraySize(tickets) < limit; i--) {
        ulong ticket = HistoryOrderGetTicket(i);
        if(ticket == 0 || ticket_in(g_told_ended, ticket)) continue;
        ArrayResize(tickets, ArraySize(tickets) + 1, 64);
        tickets[ArraySize(tickets) - 1] = ticket;
    }
    string list = "";
    for(int i = ArraySize(tickets) - 1; i >= 0; i--) {
        list = joined(list, ended_order_json(tickets[i]));
        ticket_add(g_telling_ended, tickets[i]);
    }
    return list;
}

// What of the history has not been told, as members of the request; "" where there is nothing or
// where it was read a moment ago and no trade event has come since.
string history_members(const long hours, const int limit) {
    ArrayResize(g_telling_deals, 0);
    ArrayResize(g_telling_ended, 0);
    g_more = false;
    if(!g_changed && elapsed_since(g_history_tick) < PONTE_HISTORY_GAP_MS) return "";
    if(!terminal_connected() || !history_select(hours)) return "";
    string deals = deals_json(limit);
    string ended = ended_orders_json(limit);
    g_more = ArraySize(g_telling_deals) >= limit || ArraySize(g_telling_ended) >= limit;
    g_changed = g_more;
    g_history_tick = GetTickCount64();
    string out = "";
    if(deals != "") out = joined(out, member("deals", "[" + deals + "]"));
    if(ended != "") out = joined(out, member("history", "[" + ended + "]"));
    return out;
}

// Ponte has heard what was told of the history in the last request.
void history_heard() {
    for(int i = 0; i < ArraySize(g_telling_deals); i++) ticket_add(g_told_deals, g_telling_deals[i]);
    for(int i = 0; i < ArraySize(g_telling_ended); i++) ticket_add(g_told_ended, g_telling_ended[i]);
    ArrayResize(g_telling_deals, 0);
    ArrayResize(g_telling_ended, 0);
}

// Whether a moment of the day lies in a session; one that ends at or before its start goes on to
// midnight.
bool in_session(const long from, const long to, const long moment) {
    long end = to % 86400;
    if(end <= from % 86400) end = 86400;
    return moment >= from % 86400 && moment < end;
}

bool session_open(const string symbol) {
    datetime now = TimeTradeServer();
    MqlDateTime parts;
    if(!TimeToStruct(now, parts)) return false;
    for(uint i = 0; i < 16; i++) {
        datetime from = 0;
        datetime to = 0;
        if(!SymbolInfoSessionTrade(symbol, (ENUM_DAY_OF_WEEK)parts.day_of_week, i, from, to)) return false;
        if(in_session((long)from, (long)to, (long)now % 86400)) return true;
    }
    return false;
}

string symbol_json(const string name) {
    string out = text_member("name", name);
    out += "," + whole_member("digits", SymbolInfoInteger(name, SYMBOL_DIGITS));
    out += "," + decimal_member("point", SymbolInfoDouble(name, SYMBOL_POINT));
    out += "," + decimal_member("tick_size", SymbolInfoDouble(name, SYMBOL_TRADE_TICK_SIZE));
    out += "," + decimal_member("tick_value", SymbolInfoDouble(name, SYMBOL_TRADE_TICK_VALUE));
    out += "," + decimal_member("contract_size", SymbolInfoDouble(name, SYMBOL_TRADE_CONTRACT_SIZE));
    out += "," + decimal_member("volume_min", SymbolInfoDouble(name, SYMBOL_VOLUME_MIN));
    out += "," + decimal_member("volume_max", SymbolInfoDouble(name, SYMBOL_VOLUME_MAX));
    out += "," + decimal_member("volume_step", SymbolInfoDouble(name, SYMBOL_VOLUME_STEP));
    out += "," + decimal_member("volume_limit", SymbolInfoDouble(name, SYMBOL_VOLUME_LIMIT));
    out += "," + whole_member("stops_level", SymbolInfoInteger(name, SYMBOL_TRADE_STOPS_LEVEL));
    out += "," + whole_member("freeze_level", SymbolInfoInteger(name, SYMBOL_TRADE_FREEZE_LEVEL));
    out += "," + whole_member("trade_mode", SymbolInfoInteger(name, SYMBOL_TRADE_MODE));
    out += "," + whole_member("execution_mode", SymbolInfoInteger(name, SYMBOL_TRADE_EXEMODE));
    out += "," + whole_member("filling_mode", SymbolInfoInteger(name, SYMBOL_FILLING_MODE));
    out += "," + whole_member("order_mode", SymbolInfoInteger(name, SYMBOL_ORDER_MODE));
    out += "," + whole_member("expiration_mode", SymbolInfoInteger(name, SYMBOL_EXPIRATION_MODE));
    out += "," + whole_member("expiration_time", SymbolInfoInteger(name, SYMBOL_EXPIRATION_TIME));
    out += "," + text_member("currency_profit", SymbolInfoString(name, SYMBOL_CURRENCY_PROFIT));
    out += "," + decimal_member("price_limit_min", SymbolInfoDouble(name, SYMBOL_SESSION_PRICE_LIMIT_MIN));
    out += "," + decimal_member("price_limit_max", SymbolInfoDouble(name, SYMBOL_SESSION_PRICE_LIMIT_MAX));
    out += "," + truth_member("session_open", session_open(name));
    return "{" + out + "}";
}

// A stretch of Market Watch as JSON objects.
string symbols_json(const int from, const int limit) {
    string list = "";
    int total = SymbolsTotal(true);
    for(int i = from; i < total && i < from + limit; i++) {
        string name = SymbolName(i, true);
        if(StringLen(name) > 0 && StringLen(name) <= PONTE_SYMBOL_LENGTH_MAX) list = joined(list, symbol_json(name));
    }
    return list;
}

int watch_find(const string symbol) {
    for(int i = 0; i < ArraySize(g_watch); i++) {
        if(g_watch[i].symbol == symbol) return i;
    }
    return -1;
}

// Watches exactly these symbols; new ones are put into Market Watch.
void watch_set(PonteJson &doc, const int list) {
    for(int i = 0; i < ArraySize(g_watch); i++) g_watch[i].seen = false;
    for(int item = doc.child(list); item >= 0; item = doc.sibling(item)) {
        string symbol = doc.text_of(item);
        int at = watch_find(symbol);
        if(at < 0 && symbol != "" && ArraySize(g_watch) < PONTE_WATCH_MAX) {
            at = ArraySize(g_watch);
            ArrayResize(g_watch, at + 1, 16);
            g_watch[at].symbol = symbol;
            g_watch[at].bid = 0.0;
            g_watch[at].ask = 0.0;
            g_watch[at].last = 0.0;
            g_watch[at].time_msc = 0;
            g_watch[at].told_tick = 0;
            if(!SymbolSelect(symbol, true)) Print("ponte: the terminal has no symbol ", symbol);
        }
        if(at < 0) continue;
        g_watch[at].seen = true;
        if(SymbolInfoInteger(symbol, SYMBOL_SELECT) == 0) SymbolSelect(symbol, true);
    }
    int kept = 0;
    for(int i = 0; i < ArraySize(g_watch); i++) {
        if(!g_watch[i].seen) continue;
        if(kept < i) g_watch[kept] = g_watch[i];
        kept++;
    }
    ArrayResize(g_watch, kept);
}

// The prices of watched symbols that have changed and have not been told for a quarter of a second.
string ticks_json(const int limit) {
    string list = "";
    int count = 0;
    for(int i = 0; i < ArraySize(g_watch) && count < limit; i++) {
        if(g_watch[i].told_tick != 0 && elapsed_since(g_watch[i].told_tick) < PONTE_TICK_GAP_MS) continue;
        MqlTick tick;
        if(!SymbolInfoTick(g_watch[i].symbol, tick) || tick.time_msc == 0) continue;
        bool same = tick.time_msc == g_watch[i].time_msc && tick.bid == g_watch[i].bid && tick.ask == g_watch[i].ask
                    && tick.last == g_watch[i].last;
        if(same) continue;
        g_watch[i].bid = tick.bid;
        g_watch[i].ask = tick.ask;
        g_watch[i].last = tick.last;
        g_watch[i].time_msc = tick.time_msc;
        g_watch[i].told_tick = GetTickCount64();
        string one = text_member("symbol", g_watch[i].symbol) + "," + decimal_member("bid", tick.bid) + ","
                     + decimal_member("ask", tick.ask) + "," + decimal_member("last", tick.last) + ","
                     + whole_member("time_ms", tick.time_msc);
        list = joined(list, "{" + one + "}");
        count++;
    }
    return list;
}

// A request did not get through: what it told is told again.
void facts_unheard() {
    g_changed = true;
    ArrayResize(g_telling_deals, 0);
    ArrayResize(g_telling_ended, 0);
    for(int i = 0; i < ArraySize(g_watch); i++) {
        g_watch[i].time_msc = 0;
        g_watch[i].told_tick = 0;
    }
}

// A new session is told everything anew.
void facts_forget() {
    facts_unheard();
    ArrayResize(g_told_deals, 0);
    ArrayResize(g_told_ended, 0);
}
