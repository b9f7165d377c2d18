// Ponte's bridge as an expert: takes Ponte's commands to this terminal and tells Ponte what the
// terminal knows. The rules are in PROTOCOL.md, how to install it in EXPERT.md.
//
// One timer does everything: it makes one request, which brings facts and takes commands, carries
// the commands out, and returns, so that trade events find their turn in between.
#property copyright "Ponte"
#property version   "1.00"
#property description "Connects this terminal to Ponte. One chart, one expert, one account."
#property strict

#include "ponte/text.mqh"
#include "ponte/json.mqh"
#include "ponte/journal.mqh"
#include "ponte/facts.mqh"
#include "ponte/trade.mqh"

input string Url = "";                          // Address of Ponte, https://host:port
input string TokenFile = "Ponte\\token.txt";     // File in MQL5/Files that holds the token
input string Token = "";                        // The token itself, if there is no file: kept in plain by the chart
input int PollMilliseconds = 250;               // How long Ponte may hold its answer, 50 to 1000
input string Lang = "";                         // Language: en or pt; empty: as the terminal

#define PONTE_PROTOCOL 1
#define PONTE_VERSION "0.1.0"
#define PONTE_TIMER_MS 20
#define PONTE_ANSWER_MS 5000
#define PONTE_STATE_MS 4000
#define PONTE_IDLE_HOLD_MS 1000
#define PONTE_BACK_OFF_MS_MAX 15000
#define PONTE_RESULTS_CHARACTERS_MAX 300000
#ifndef PONTE_WAIT_PERCENT
#define PONTE_WAIT_PERCENT 100
#endif

string g_token = "";
string g_url = "";
string g_session = "";
long g_last_number = 0;
long g_sequence = 0;            // of the session's requests
long g_history_hours = 72;
bool g_want_state = true;
bool g_want_positions = true;
bool g_want_orders = true;
int g_symbols_next = -1;         // the next place in Market Watch to tell; -1: nobody has asked
int g_symbols_after = -1;        // what it becomes when the request is heard
int g_items = PONTE_ITEMS_MAX;   // how much is told at a time
string g_told_state = "";
string g_told_positions = "";
string g_told_orders = "";
string g_telling_state = "";
string g_telling_positions = "";
string g_telling_orders = "";
long g_telling_login = 0;
string g_telling_server = "";
ulong g_state_tick = 0;
ulong g_wait_tick = 0;           // nothing is sent for `g_wait_ms` from here
ulong g_wait_ms = 0;
int g_failures = 0;
string g_shown = "";

bool portuguese() {
    if(StringLen(Lang) > 0) return starts_with(Lang, "pt");
    return starts_with(TerminalInfoString(TERMINAL_LANGUAGE), "Portuguese");
}

// Shows a line on the chart, and in the log when it is another one than before.
void show(const string english, const string in_portuguese) {
    string line = "Ponte: " + (portuguese() ? in_portuguese : english);
    if(line == g_shown) return;
    g_shown = line;
    Comment(line);
    Print(line);
}

void wait_for(const ulong milliseconds) {
    g_wait_tick = GetTickCount64();
    g_wait_ms = milliseconds * PONTE_WAIT_PERCENT / 100;
}

// 1, 2, 4 to 15 s and up to a quarter more, so that many bridges don't come back at once.
void back_off() {
    ulong wait = 1000;
    for(int i = 0; i < g_failures && wait < PONTE_BACK_OFF_MS_MAX; i++) wait *= 2;
    if(wait > PONTE_BACK_OFF_MS_MAX) wait = PONTE_BACK_OFF_MS_MAX;
    g_failures++;
    wait_for(wait + wait * (ulong)MathRand() / 131072);
}

// TLS, or this very machine.
bool url_safe(const string url) {
    if(StringFind(url, "@") >= 0) return false;
    if(starts_with(url, "https://")) return StringLen(url) > 8;
    string local[3];
    local[0] = "http://127.0.0.1";
    local[1] = "http://localhost";
    local[2] = "http://[::1]";
    for(int i = 0; i < 3; i++) {
        if(!starts_with(url, local[i])) continue;
        int length = StringLen(local[i]);
        if(StringLen(url) == length || StringGetCharacter(url, length) == ':') return true;
    }
    return false;
}

// The token from its file, or from the inputs.
string read_token() {
    // An empty input may be NULL, which is not equal to "".
    string token = "" + Token;
    if(StringLen(token) == 0 && FileIsExist(TokenFile)) {
        int file = FileOpen(TokenFile, FILE_READ | FILE_BIN | FILE_SHARE_READ);
        if(file == INVALID_HANDLE) return "";
        uchar bytes[];
        int size = (int)FileSize(file);
        if(size > 0 && size <= 4096 && ArrayResize(bytes, size) == size) {
            if(FileReadArray(file, bytes, 0, size) == (uint)size) token = CharArrayToString(bytes, 0, size, CP_UTF8);
        }
        FileClose(file);
    }
    StringTrimLeft(token);
    StringTrimRight(token);
    for(int i = 0; i < StringLen(token); i++) {
        ushort unit = StringGetCharacter(token, i);
        if(unit <= 32 || unit >= 127) return "";
    }
    return token;
}

// The results that Ponte has not seen, as many as are sensible at a time.
string results_member() {
    string list = "";
    for(int i = 0; i < ArraySize(g_results) && i < g_items; i++) {
        if(i > 0 && StringLen(list) + StringLen(g_results[i].json) > PONTE_RESULTS_CHARACTERS_MAX) break;
        list = joined(list, g_results[i].json);
    }
    if(list == "") return "";
    return member("results", "[" + list + "]");
}

string state_member(const bool hello) {
    string steady = state_steady_json();
    g_telling_state = "";
    g_telling_login = AccountInfoInteger(ACCOUNT_LOGIN);
    g_telling_server = AccountInfoString(ACCOUNT_SERVER);
    bool due = g_want_state || steady != g_told_state || elapsed_since(g_state_tick) >= PONTE_STATE_MS;
    if(!hello && !due) return "";
    g_telling_state = steady;
    return member("state", state_json(steady));
}

// Positions and orders where they have changed or are wanted. While the terminal has no connection
// its lists may be empty without meaning it, so that only a session's beginning tells them then.
string lists_members(const bool hello) {
    string out = "";
    g_telling_positions = "";
    g_telling_orders = "";
    if(!hello && !terminal_connected()) return "";
    string list = "";
    if(positions_json(list) && (hello || g_want_positions || list != g_told_positions)) {
        g_telling_positions = list;
        out = joined(out, member("positions", list));
    }
    if(orders_json(list) && (hello || g_want_orders || list != g_told_orders)) {
        g_telling_orders = list;
        out = joined(out, member("orders", list));
    }
    return out;
}

string symbols_members() {
    g_symbols_after = g_symbols_next;
    if(g_symbols_next < 0) return "";
    string list = symbols_json(g_symbols_next, g_items);
    bool complete = g_symbols_next + g_items >= SymbolsTotal(true);
    g_symbols_after = complete ? -1 : g_symbols_next + g_items;
    return member("symbols", "[" + list + "]") + "," + truth_member("symbols_complete", complete);
}

string request_json(const bool hello) {
    string bridge = text_member("kind", "expert") + "," + text_member("version", PONTE_VERSION) + ","
                    + text_member("journal", g_journal_name);
    string out = whole_member("protocol", PONTE_PROTOCOL) + "," + member("bridge", "{" + bridge + "}");
    string facts = joined(state_member(hello), lists_members(hello));
    string results = results_member();
    facts = joined(facts, results);
    if(hello) {
        g_symbols_next = -1;
        g_symbols_after = -1;
    } else {
        facts = joined(facts, history_members(g_history_hours, g_items));
        facts = joined(facts, symbols_members());
        string ticks = ticks_json(g_items);
        if(ticks != "") facts = joined(facts, member("ticks", "[" + ticks + "]"));
        long hold = ArraySize(g_watch) > 0 ? PollMilliseconds : PONTE_IDLE_HOLD_MS;
        if(hold < 50) hold = 50;
        if(hold > PONTE_IDLE_HOLD_MS) hold = PONTE_IDLE_HOLD_MS;
        if(results != "" || g_changed || g_symbols_after >= 0) hold = 0;
        // Of a request that arrives after a newer one Ponte takes only what stays true.
        g_sequence++;
        out += "," + text_member("session", g_session) + "," + whole_member("sequence", g_sequence) + ","
               + whole_member("hold_ms", hold) + ","
               + truth_member("take", true);
    }
    return "{" + joined(out, facts) + "}";
}

// What the request has told is known to Ponte now.
void request_heard() {
    if(g_telling_state != "") {
        g_told_state = g_telling_state;
        g_state_tick = GetTickCount64();
        g_want_state = false;
    }
    if(g_telling_positions != "") {
        g_told_positions = g_telling_positions;
        g_want_positions = false;
    }
    if(g_telling_orders != "") {
        g_told_orders = g_telling_orders;
        g_want_orders = false;
    }
    g_symbols_next = g_symbols_after;
    history_heard();
    if(g_items < PONTE_ITEMS_MAX) g_items++;
}

// Posts a request. The status, or -1 with the terminal's error.
int post(const string body, string &answer, int &error) {
    char data[];
    char result[];
    string headers = "Content-Type: application/json\r\nAuthorization: Bearer " + g_token + "\r\n";
    string result_headers = "";
    int count = StringToCharArray(body, data, 0, WHOLE_ARRAY, CP_UTF8) - 1;
    if(count < 0) return -1;
    ArrayResize(data, count);
    ResetLastError();
    int status = WebRequest("POST", g_url + "/mt5/v1/sync", headers, PONTE_IDLE_HOLD_MS + PONTE_ANSWER_MS, data, result,
                            result_headers);
    error = GetLastError();
    answer = "";
    if(ArraySize(result) > 0 && ArraySize(result) <= PONTE_JSON_LENGTH_MAX) {
        answer = CharArrayToString(result, 0, WHOLE_ARRAY, CP_UTF8);
    }
    return status;
}

// No answer at all. WebRequest also gives numbers above 1000 for what is no HTTP status.
void no_answer(const int error) {
    if(error == ERR_FUNCTION_NOT_ALLOWED) {
        show("allow " + g_url + " under Tools, Options, Expert Advisors, Allow WebRequest for listed URL",
             "permita " + g_url + " em Ferramentas, Op\x00e7\x00f5es, Expert Advisors, Permitir WebRequest para URLs");
        wait_for(5000);
        return;
    }
    string which = g_url + " (" + whole(error) + "): ";
    show("no answer from " + which + "is the address right, does Ponte run, is the port open, does Windows trust the "
             + "certificate?",
         "sem resposta de " + which + "o endere\x00e7o est\x00e1 certo, o Ponte est\x00e1 rodando, a porta est\x00e1 "
             + "aberta, o Windows confia no certificado?");
    back_off();
}

void not_accepted(const int status, const string answer, const bool hello) {
    string words = StringLen(answer) > 200 ? StringSubstr(answer, 0, 200) : answer;
    string number = whole(status);
    if(status == 410 && !hello) {
        g_session = "";
    } else if(status == 400) {
        show("Ponte does not understand the request: " + words, "o Ponte n\x00e3o entendeu o pedido: " + words);
        wait_for(5000);
    } else if(status == 401) {
        g_token = "";
        show("Ponte does not accept the token; make one with: ponte bridge token ACCOUNT",
             "o Ponte n\x00e3o aceita o token; crie um com: ponte bridge token CONTA");
        wait_for(30000);
    } else if(status == 409) {
        show("another bridge serves this account; stop it, or wait until it has been silent for 15 s",
             "outra ponte atende esta conta; pare-a ou espere at\x00e9 que ela fique em sil\x00eancio por 15 s");
        wait_for(15000);
    } else if(status == 413) {
        g_items = g_items > 2 * PONTE_ITEMS_MIN ? g_items / 2 : PONTE_ITEMS_MIN;
        Print("ponte: the request is too large for Ponte, telling less at a time");
        if(g_items == PONTE_ITEMS_MIN) back_off();
    } else if(status == 426) {
        string ours = whole(PONTE_PROTOCOL);
        show("Ponte speaks another version of the protocol than this expert (" + ours + "); update one: " + words,
             "o Ponte fala outra vers\x00e3o do protocolo que este expert (" + ours + "); atualize um: " + words);
        wait_for(60000);
    } else {
        show("Ponte answers " + number + "; trying again", "o Ponte responde " + number + "; tentando de novo");
        back_off();
    }
}

// What is wrong with the terminal, or that all is well.
void show_state() {
    if(!terminal_connected()) {
        show("connected to Ponte; the terminal has no connection to its trade server",
             "conectado ao Ponte; o terminal est\x00e1 sem conex\x00e3o com o servidor de negocia\x00e7\x00e3o");
    } else if(!trading_allowed()) {
        show("connected to Ponte; algorithmic trading is off: press Algo Trading, and allow it in the expert's "
                 + "settings",
             "conectado ao Ponte; a negocia\x00e7\x00e3o algor\x00edtmica est\x00e1 desligada: clique em Algo Trading "
                 + "e permita-a nas propriedades do expert");
    } else if(!account_flag(ACCOUNT_TRADE_ALLOWED) || !account_flag(ACCOUNT_TRADE_EXPERT)) {
        show("connected to Ponte; the account or its server does not allow programs to trade",
             "conectado ao Ponte; a conta ou o servidor n\x00e3o permite negociar por programas");
    } else {
        show("connected to " + g_url + ", account " + whole(AccountInfoInteger(ACCOUNT_LOGIN)),
             "conectado a " + g_url + ", conta " + whole(AccountInfoInteger(ACCOUNT_LOGIN)));
    }
}

void read_wants(PonteJson &doc) {
    int wants = doc.find(0, "want");
    for(int item = doc.child(wants); item >= 0; item = doc.sibling(item)) {
        string want = doc.text_of(item);
        if(want == "state") g_want_state = true;
        if(want == "positions") g_want_positions = true;
        if(want == "orders") g_want_orders = true;
        if(want == "symbols" && g_symbols_next < 0) g_symbols_next = 0;
    }
}

void read_seen(PonteJson &doc) {
    int list = doc.find(0, "results_seen");
    for(int item = doc.child(list); item >= 0; item = doc.sibling(item)) {
        journal_seen(doc.text(item, "session"), doc.whole_number(item, "number"));
    }
}

// Carries out the commands of this session that are new, in their order.
void read_commands(PonteJson &doc, const ulong sent_tick) {
    int list = doc.find(0, "commands");
    for(int item = doc.child(list); item >= 0; item = doc.sibling(item)) {
        doc.fault = "";
        string session = doc.text(item, "session");
        long number = doc.whole_number(item, "number");
        if(doc.fault != "" || session != g_session || number <= g_last_number) continue;
        g_last_number = number;
        carry_out(doc, item, number, sent_tick);
    }
}

// Takes Ponte's answer. False where it can't be read: then what it may have brought is lost, and
// Ponte will ask about it.
bool accepted(const bool hello, const string answer, const ulong sent_tick) {
    PonteJson doc;
    if(!doc.parse(answer)) return false;
    string session = doc.text(0, "session");
    long hours = doc.whole_number(0, "history_hours");
    if(doc.fault != "" || session == "" || doc.whole_or(0, "protocol", 0) != PONTE_PROTOCOL) return false;
    if(!hello && session != g_session) {
        g_session = "";
        return true;
    }
    g_failures = 0;
    if(hello) {
        g_session = session;
        g_session_login = g_telling_login;
        g_session_server = g_telling_server;
        g_last_number = 0;
        g_sequence = 0;
        facts_forget();
    }
    g_history_hours = hours < 0 ? 0 : (hours > 8760 ? 8760 : hours);
    request_heard();
    if(doc.has(0, "watch")) watch_set(doc, doc.list(0, "watch"));
    read_wants(doc);
    read_seen(doc);
    g_traded = false;
    read_commands(doc, sent_tick);
    if(g_traded) {
        g_want_positions = true;
        g_want_orders = true;
    }
    return true;
}

// One request and what follows from its answer.
void sync() {
    // Another account is another session: what was given for the first must not be done on the second.
    long login = AccountInfoInteger(ACCOUNT_LOGIN);
    if(g_session != "" && login != 0 && !right_account()) g_session = "";
    bool hello = g_session == "";
    string answer = "";
    string body = request_json(hello);
    ulong sent_tick = GetTickCount64();
    int error = 0;
    int status = post(body, answer, error);
    observe_connection();
    if(status == 200 && accepted(hello, answer, sent_tick)) {
        show_state();
        return;
    }
    facts_unheard();
    if(status == -1 || status > 999) {
        no_answer(status == -1 ? error : status);
    } else if(status == 200) {
        show("Ponte's answer can't be read: does another program answer at " + g_url + "?",
             "a resposta do Ponte n\x00e3o pode ser lida: outro programa responde em " + g_url + "?");
        back_off();
    } else {
        not_accepted(status, answer, hello);
    }
}

int OnInit() {
    g_session = "";
    g_token = "";
    g_shown = "";
    g_failures = 0;
    g_wait_ms = 0;
    g_connected_tick = 0;
    g_url = "" + Url;
    while(StringLen(g_url) > 1 && StringGetCharacter(g_url, StringLen(g_url) - 1) == '/') {
        g_url = StringSubstr(g_url, 0, StringLen(g_url) - 1);
    }
    MathSrand((int)GetMicrosecondCount());
    if(!url_safe(g_url)) {
        show("the input Url must be an https:// address; http:// is for this machine only",
             "a entrada Url deve ser um endere\x00e7o https://; http:// \x00e9 s\x00f3 para esta m\x00e1quina");
        return INIT_PARAMETERS_INCORRECT;
    }
    if(!journal_open()) {
        show(g_journal_why, g_journal_why);
        return INIT_FAILED;
    }
    observe_connection();
    EventSetMillisecondTimer(PONTE_TIMER_MS);
    return INIT_SUCCEEDED;
}

void OnDeinit(const int reason) {
    EventKillTimer();
    journal_close();
    Print("ponte: stopped, reason ", reason);
}

void OnTimer() {
    observe_connection();
    if(elapsed_since(g_wait_tick) < g_wait_ms) return;
    g_wait_ms = 0;
    journal_tend();
    if(g_token == "") g_token = read_token();
    if(g_token == "") {
        show("no token: put it into MQL5\\Files\\" + TokenFile + " or into the input Token",
             "sem token: coloque-o em MQL5\\Files\\" + TokenFile + " ou na entrada Token");
        wait_for(5000);
        return;
    }
    sync();
}

void OnTradeTransaction(const MqlTradeTransaction &trans, const MqlTradeRequest &request,
                        const MqlTradeResult &result) {
    g_changed = true;
}
