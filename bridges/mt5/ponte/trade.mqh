// Carries out Ponte's commands: checks, journal, OrderSend, answer; and looks orders up.

#ifndef PONTE_SETTLE_MS
#define PONTE_SETTLE_MS 30000        // after this a request without an answer has had its time to appear
#endif
#ifndef PONTE_SYNCHRONISED_MS
#define PONTE_SYNCHRONISED_MS 60000  // connected for so long the terminal's history is complete
#endif
#ifndef PONTE_SCAN_GAP_MS
#define PONTE_SCAN_GAP_MS 2000       // before that two scans this far apart must agree
#endif
#ifndef PONTE_FACTS_WAIT_MS
#define PONTE_FACTS_WAIT_MS 2000     // longest wait for a trade to appear in the terminal's lists
#endif
#define PONTE_VOLUME_GRAIN 0.00000001
#define PONTE_FOUND_MAX 200
#define PONTE_SCANS_MAX 64
#define PONTE_STEPS_MAX 100

// One command as Ponte gave it.
struct PonteCommand {
    string session;
    long number;
    string kind;
    string order;
    ulong magic;
    string comment;
    bool reduces;
    ulong sent_tick;    // when the request was sent whose answer brought the command
    ulong valid_ms;
    int requests;       // the list's node
};

// What an earlier look-up of an order has seen.
struct PonteScan {
    string order;
    string seen;
    ulong tick;
};

PonteScan g_scans[];
string g_session_server = "";
long g_session_login = 0;
ulong g_connected_tick = 0;   // since when the terminal has been connected; 0 while it is not
ulong g_observed_tick = 0;
bool g_traded = false;        // a request was sent: the next report brings positions and orders
bool g_finished = false;      // a command has ended since the last request

// Notes whether the terminal is connected. After a gap in which nobody has looked it may have lost
// the line and found it again, so that counting starts anew.
void observe_connection() {
    bool gap = elapsed_since(g_observed_tick) > 10000;
    g_observed_tick = GetTickCount64();
    if(!terminal_connected()) g_connected_tick = 0;
    else if(g_connected_tick == 0 || gap) g_connected_tick = g_observed_tick;
}

bool right_account() {
    if(g_session_login == 0 || AccountInfoInteger(ACCOUNT_LOGIN) != g_session_login) return false;
    return AccountInfoString(ACCOUNT_SERVER) == g_session_server;
}

// Why the command comes too late; "" where it doesn't.
string lateness(const PonteCommand &command) {
    ulong age = elapsed_since(command.sent_tick);
    if(age <= command.valid_ms) return "";
    return "the command's time is over: " + whole((long)age) + " ms of " + whole((long)command.valid_ms) + " ms";
}

// Why no request may be begun now; "" where it may.
string refusal(const PonteCommand &command) {
    string late = lateness(command);
    if(late != "") return late;
    if(IsStopped()) return "the expert is being stopped";
    if(!terminal_connected()) return "the terminal is not connected to its trade server";
    if(!right_account()) {
        return "the terminal is logged into account " + whole(AccountInfoInteger(ACCOUNT_LOGIN))
               + ", the session is of " + whole(g_session_login);
    }
    if(TerminalInfoInteger(TERMINAL_TRADE_ALLOWED) == 0) return "algorithmic trading is switched off in the terminal";
    if(MQLInfoInteger(MQL_TRADE_ALLOWED) == 0) return "algorithmic trading is not allowed in the expert's settings";
    if(!account_flag(ACCOUNT_TRADE_ALLOWED)) return "the account must not trade, it may be the investor's password";
    if(!account_flag(ACCOUNT_TRADE_EXPERT)) return "the trade server does not let programs trade";
    return "";
}

// Buy orders have even numbers, sell orders odd ones.
bool is_buy(const long order_type) {
    return order_type % 2 == 0;
}

// Whether there is a position that this request makes smaller and does not turn.
bool can_reduce(const MqlTradeRequest &request) {
    long other = is_buy(request.type) ? POSITION_TYPE_SELL : POSITION_TYPE_BUY;
    for(int i = PositionsTotal() - 1; i >= 0; i--) {
        ulong ticket = PositionGetTicket(i);
        if(ticket == 0 || (request.position != 0 && ticket != request.position)) continue;
        if(PositionGetString(POSITION_SYMBOL) != request.symbol) continue;
        if(PositionGetInteger(POSITION_TYPE) != other) continue;
        if(PositionGetDouble(POSITION_VOLUME) >= request.volume - PONTE_VOLUME_GRAIN) return true;
    }
    return false;
}

// Fills the terminal's request from the protocol's; false with a fault in `doc` where that can't be.
bool read_request(PonteJson &doc, const int node, const PonteCommand &command, MqlTradeRequest &request) {
    doc.fault = "";
    request.action = (ENUM_TRADE_REQUEST_ACTIONS)doc.whole_number(node, "action");
    request.magic = command.magic;
    request.order = (ulong)doc.whole_or(node, "order", 0);
    request.symbol = doc.text(node, "symbol");
    request.volume = doc.number_or(node, "volume", 0.0);
    request.price = doc.number_or(node, "price", 0.0);
    request.stoplimit = doc.number_or(node, "stoplimit", 0.0);
    request.sl = doc.number_or(node, "sl", 0.0);
    request.tp = doc.number_or(node, "tp", 0.0);
    request.deviation = (ulong)doc.whole_or(node, "deviation", 0);
    request.type = (ENUM_ORDER_TYPE)doc.whole_or(node, "type", 0);
    request.type_filling = (ENUM_ORDER_TYPE_FILLING)doc.whole_or(node, "type_filling", 0);
    request.type_time = (ENUM_ORDER_TYPE_TIME)doc.whole_or(node, "type_time", 0);
    request.comment = command.comment;
    request.position = (ulong)doc.whole_or(node, "position", 0);
    if(doc.fault != "") return false;
    if(request.action == TRADE_ACTION_DEAL && !doc.has(node, "price")) {
        MqlTick tick;
        if(SymbolInfoInteger(request.symbol, SYMBOL_SELECT) == 0) SymbolSelect(request.symbol, true);
        if(SymbolInfoTick(request.symbol, tick)) request.price = is_buy(request.type) ? tick.ask : tick.bid;
    }
    return true;
}

// Errors of OrderSend that say that nothing has left the terminal.
bool never_sent(const int error) {
    return error == ERR_TRADE_DISABLED || error == ERR_FUNCTION_NOT_ALLOWED || error == ERR_INVALID_PARAMETER;
}

// Sends one request and writes what came back into the step.
void send_request(MqlTradeRequest &request, PonteStep &step) {
    MqlTradeResult result = {};
    ResetLastError();
    bool good = OrderSend(request, result);
    int error = good ? 0 : GetLastError();
    step.ended = true;
    step.retcode = result.retcode;
    step.error = result.retcode != 0 ? 0 : error;
    step.answered = result.retcode != 0 || (!good && never_sent(error));
    step.ticket = result.order;
    step.deal = result.deal;
    step.volume = result.volume;
    step.price = result.price;
    step.comment = result.comment;
    step.external = result.retcode_external;
    // A terminal or a server that hung may carry it out only after the call has come back.
    step.begun_tick = GetTickCount64();
    g_traded = true;
    g_changed = true;
}

// Waits until the terminal's lists show what the server has answered, so that no result is told
// before its facts.
void await_facts(const PonteStep &step) {
    if(!step.answered || !retcode_success(step.retcode)) return;
    ulong start = GetTickCount64();
    while(elapsed_since(start) < PONTE_FACTS_WAIT_MS && !IsStopped()) {
        bool order_seen = step.ticket == 0 || OrderSelect(step.ticket) || HistoryOrderSelect(step.ticket);
        if(order_seen && (step.deal == 0 || HistoryDealSelect(step.deal))) return;
        Sleep(5);
    }
}

void finish(const PonteCommand &command, const string outcome, const string steps, const string found,
            const string why) {
    string json = result_json(command.session, command.number, command.order, outcome, steps, found, why);
    journal_result(command.session, command.number, json);
    g_finished = true;
    Print("ponte: ", command.kind, " ", command.order, ": ", outcome, why == "" ? "" : ", ", why);
}

string request_words(const MqlTradeRequest &request) {
    return "action " + whole(request.action) + " type " + whole(request.type) + " " + decimal(request.volume) + " "
           + request.symbol;
}

// Carries out a request of a trade, in the journal before and after. Gives why it was not begun, or
// "" with the step's JSON.
string trade_step(const PonteCommand &command, MqlTradeRequest &request, const int index, bool &success,
                  bool &answered, string &json) {
    int at = journal_begin(command.session, command.number, command.order, index, request_words(request));
    if(at < 0) return "the bridge's journal can't be written, error " + whole(GetLastError());
    // Writing to the disk may have taken its time.
    string late = lateness(command);
    if(late != "") {
        journal_withdraw(at);
        return late;
    }
    send_request(request, g_steps[at]);
    journal_answer(at);
    await_facts(g_steps[at]);
    answered = g_steps[at].answered;
    success = answered && retcode_success(g_steps[at].retcode);
    json = step_json(g_steps[at]);
    return "";
}

// Carries out a request of a change, which may be sent again at any time and is not in the journal.
void change_step(MqlTradeRequest &request, bool &success, bool &answered, string &json) {
    PonteStep step;
    send_request(request, step);
    await_facts(step);
    answered = step.answered;
    success = answered && (retcode_success(step.retcode) || step.retcode == TRADE_RETCODE_NO_CHANGES);
    json = step_json(step);
}

// Carries out a `trade` or a `change`.
void carry_out_requests(PonteJson &doc, const PonteCommand &command) {
    bool trade = command.kind == "trade";
    if(trade && journal_knows(command.order)) {
        finish(command, "known", "", "", "the journal knows of an earlier request of this order");
        return;
    }
    string steps = "";
    string why = "";
    bool success = true;
    bool answered = true;
    int index = 0;
    for(int node = doc.child(command.requests); node >= 0 && success; node = doc.sibling(node)) {
        MqlTradeRequest request = {};
        if(!read_request(doc, node, command, request)) why = "the request's field " + doc.fault + " is not understood";
        if(why == "") why = refusal(command);
        if(why == "" && command.reduces && !can_reduce(request)) {
            why = "there is no position of " + request.symbol + " of at least " + decimal(request.volume)
                  + " lots to close";
        }
        if(why == "" && index >= PONTE_STEPS_MAX) why = "no more than " + whole(index) + " requests are sent at a time";
        string json = "";
        if(why == "" && trade) why = trade_step(command, request, index, success, answered, json);
        else if(why == "") change_step(request, success, answered, json);
        if(why != "") break;
        steps = joined(steps, json);
        index++;
    }
    if(index == 0) finish(command, "not_begun", "", "", why == "" ? "the command has no request" : why);
    else finish(command, answered ? "answered" : "interrupted", steps, "", why);
}

bool is_of(const ulong magic, const string comment, const PonteCommand &command) {
    return (magic == command.magic && magic != 0) || (command.comment != "" && comment == command.comment);
}

// Adds an item to a list of what was found, and to the scan's imprint; false where the list is full.
bool add_found(string &list, int &count, string &seen, const string json) {
    if(count >= PONTE_FOUND_MAX) return false;
    list = joined(list, json);
    seen += json + "\n";
    count++;
    return true;
}

// Looks the order up in the terminal. False where not everything could be looked at.
bool scan_terminal(const PonteCommand &command, const long hours, string &lists, string &seen, int &count) {
    string pending = "";
    string ended = "";
    string deals = "";
    bool good = true;
    for(int i = OrdersTotal() - 1; i >= 0; i--) {
        if(OrderGetTicket(i) == 0) good = false;
        else if(is_of((ulong)OrderGetInteger(ORDER_MAGIC), OrderGetString(ORDER_COMMENT), command)) {
            good = add_found(pending, count, seen, order_json()) && good;
        }
    }
    if(!history_select(hours)) good = false;
    for(int i = HistoryOrdersTotal() - 1; i >= 0 && good; i--) {
        ulong ticket = HistoryOrderGetTicket(i);
        if(ticket == 0) good = false;
        else if(is_of((ulong)HistoryOrderGetInteger(ticket, ORDER_MAGIC), HistoryOrderGetString(ticket, ORDER_COMMENT),
                      command)) {
            good = add_found(ended, count, seen, ended_order_json(ticket)) && good;
        }
    }
    for(int i = HistoryDealsTotal() - 1; i >= 0 && good; i--) {
        ulong ticket = HistoryDealGetTicket(i);
        if(ticket == 0) good = false;
        else if(is_of((ulong)HistoryDealGetInteger(ticket, DEAL_MAGIC), HistoryDealGetString(ticket, DEAL_COMMENT),
                      command)) {
            good = add_found(deals, count, seen, deal_json(ticket)) && good;
        }
    }
    lists = member("orders", "[" + pending + "]") + "," + member("history", "[" + ended + "]") + ","
            + member("deals", "[" + deals + "]");
    return good;
}

// Whether what was seen just now was seen the same long enough ago, on the same connection.
bool scan_repeated(const string order, const string seen) {
    int size = ArraySize(g_scans);
    int at = -1;
    for(int i = 0; i < size; i++) {
        if(g_scans[i].order == order) at = i;
    }
    if(at >= 0 && g_scans[at].seen == seen && g_scans[at].tick >= g_connected_tick) {
        return elapsed_since(g_scans[at].tick) >= PONTE_SCAN_GAP_MS;
    }
    if(at < 0 && size < PONTE_SCANS_MAX) {
        ArrayResize(g_scans, size + 1, PONTE_SCANS_MAX);
        at = size;
    } else if(at < 0) {
        for(int i = 1; i < size; i++) g_scans[i - 1] = g_scans[i];
        at = size - 1;
    }
    g_scans[at].order = order;
    g_scans[at].seen = seen;
    g_scans[at].tick = GetTickCount64();
    return false;
}

// Why a look-up that has found nothing would not mean that there is nothing; "" where it would.
string inconclusive(const PonteCommand &command, const bool scanned, const string seen) {
    if(g_connected_tick == 0) return "the terminal is not connected to its trade server";
    if(!right_account()) return "the terminal is logged into another account";
    if(!scanned) return "the terminal's history could not be read";
    for(int i = ArraySize(g_steps) - 1; i >= 0; i--) {
        if(g_steps[i].order != command.order || step_definite(g_steps[i])) continue;
        if(elapsed_since(g_steps[i].begun_tick) <= PONTE_SETTLE_MS) return "a request of this order was begun just now";
    }
    if(elapsed_since(g_connected_tick) >= PONTE_SYNCHRONISED_MS) return "";
    if(scan_repeated(command.order, seen)) return "";
    return "the terminal was connected just now, and no earlier look-up has given the same";
}

// Carries out a `find`.
void carry_out_find(const PonteCommand &command, const long hours) {
    observe_connection();
    string late = lateness(command);
    if(late != "") {
        finish(command, "not_begun", "", "", late);
        return;
    }
    string lists = "";
    string seen = "";
    int count = 0;
    bool scanned = scan_terminal(command, hours, lists, seen, count);
    // A connection that broke meanwhile may have left the lists short.
    observe_connection();
    string steps = "";
    int shown = 0;
    bool success = false;
    for(int i = ArraySize(g_steps) - 1; i >= 0 && shown < PONTE_STEPS_MAX; i--) {
        if(g_steps[i].order != command.order) continue;
        steps = joined(step_json(g_steps[i]), steps);
        shown++;
        if(g_steps[i].answered && retcode_success(g_steps[i].retcode)) success = true;
    }
    string why = inconclusive(command, scanned, seen);
    if(why == "" && count == 0 && !success) journal_absent(command.order);
    string found = truth_member("conclusive", why == "") + "," + member("steps", "[" + steps + "]") + "," + lists;
    finish(command, "answered", "", "{" + found + "}", why);
}

// Reads one command and carries it out.
void carry_out(PonteJson &doc, const int node, const long number, const ulong sent_tick) {
    PonteCommand command;
    int task = doc.find(node, "task");
    doc.fault = "";
    command.session = doc.text(node, "session");
    command.number = number;
    command.sent_tick = sent_tick;
    long valid_ms = doc.whole_number(node, "valid_ms");
    command.valid_ms = valid_ms > 0 ? (ulong)valid_ms : 0;
    command.kind = doc.text(task, "kind");
    command.order = doc.text(task, "order");
    command.magic = (ulong)doc.whole_number(task, "magic");
    command.comment = doc.text_or(task, "comment", "");
    command.reduces = doc.truth_or(task, "reduces", false);
    command.requests = -1;
    long hours = 0;
    if(command.kind == "find") hours = doc.whole_number(task, "history_hours");
    else command.requests = doc.list(task, "requests");
    bool known_kind = command.kind == "trade" || command.kind == "change" || command.kind == "find";
    if(doc.fault != "" || !known_kind) {
        string field = doc.fault == "" ? "kind" : doc.fault;
        finish(command, "not_begun", "", "", "the command's field " + field + " is not understood");
    } else if(command.kind == "find") {
        carry_out_find(command, hours);
    } else {
        carry_out_requests(doc, command);
    }
}
