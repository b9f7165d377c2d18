// MQL5's terminal functions, on the stand-in terminal's wire (`POST /terminal/call`).

#include <chrono>
#include <stdexcept>
#include <thread>

#include "standin.hpp"

using standin::Json;

namespace {

const int ERROR_WRONG_PROPERTY = 4751;
const int ERROR_POSITION_NOT_FOUND = 4753;
const int ERROR_ORDER_NOT_FOUND = 4754;
const int ERROR_DEAL_NOT_FOUND = 4755;
const int ERROR_SEND_FAILED = 4756;
const int ERROR_UNKNOWN_SYMBOL = 4301;
const int CALL_TIMEOUT_MS = 20000;

int last_error = 0;
std::map<std::string, std::pair<ulong, Json>> remembered;

// The lists that a program has selected. Reading from them without selecting is an error in MQL5.
Json selected_position;
Json selected_order;
std::vector<Json> history_orders;
std::vector<Json> history_deals;

void pause_ms(int milliseconds) {
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
}

// What is read many times in a row is asked for once.
Json remember(const std::string &function, const std::string &arguments, ulong keep_ms) {
    std::string key = function + arguments;
    auto found = remembered.find(key);
    if(found != remembered.end() && GetTickCount64() - found->second.first < keep_ms) return found->second.second;
    long error = 0;
    Json value = standin::call(function, arguments, error);
    remembered[key] = {GetTickCount64(), value};
    return value;
}

std::string named(const std::string &name, const string &value) {
    return "{" + standin::quote(name) + ":" + standin::quote(utf8(value)) + "}";
}

Json symbol_of(const string &name) {
    Json info = remember("symbol_info", named("symbol", name), 10);
    if(info.kind == Json::Null) SetLastError(ERROR_UNKNOWN_SYMBOL);
    return info;
}

std::vector<Json> symbols(bool selected) {
    std::vector<Json> out;
    for(const Json &info : remember("symbols_get", "{}", 50).items) {
        if(!selected || info.whole("select") != 0) out.push_back(info);
    }
    return out;
}

std::vector<Json> list_of(const std::string &function, const std::string &arguments, bool &good) {
    long error = 0;
    Json value = standin::call(function, arguments, error);
    good = value.kind == Json::List;
    return value.items;
}

const Json *with_ticket(const std::vector<Json> &list, ulong ticket) {
    for(const Json &one : list) {
        if((ulong)one.whole("ticket") == ticket) return &one;
    }
    return nullptr;
}

const Json &in_history(const std::vector<Json> &list, ulong ticket, int error) {
    static const Json nothing;
    const Json *found = with_ticket(list, ticket);
    if(found == nullptr) SetLastError(error);
    return found == nullptr ? nothing : *found;
}

// The item at a place of a list that is read anew, as the terminal's lists are.
ulong select_at(const std::string &function, int index, Json &selected, int error) {
    bool good = false;
    std::vector<Json> list = list_of(function, "{}", good);
    if(!good || index < 0 || index >= (int)list.size()) {
        SetLastError(error);
        return 0;
    }
    selected = list[(size_t)index];
    return (ulong)selected.whole("ticket");
}

int total(const std::string &function) {
    bool good = false;
    return (int)list_of(function, "{}", good).size();
}

const char *field(const char *name) {
    if(name == nullptr) standin::critical("a property that the wire does not have");
    return name;
}

std::string request_arguments(const MqlTradeRequest &request) {
    std::string out;
    auto add = [&out](const char *name, const std::string &value) {
        out += (out.empty() ? "\"" : ",\"") + std::string(name) + "\":" + value;
    };
    add("action", std::to_string((int)request.action));
    add("magic", std::to_string(request.magic));
    add("order", std::to_string(request.order));
    add("symbol", standin::quote(utf8(request.symbol)));
    add("volume", standin::number(request.volume));
    add("price", standin::number(request.price));
    add("stoplimit", standin::number(request.stoplimit));
    add("sl", standin::number(request.sl));
    add("tp", standin::number(request.tp));
    add("deviation", std::to_string(request.deviation));
    add("type", std::to_string((int)request.type));
    add("type_filling", std::to_string((int)request.type_filling));
    add("type_time", std::to_string((int)request.type_time));
    add("expiration", std::to_string(request.expiration));
    add("comment", standin::quote(utf8(request.comment)));
    add("position", std::to_string(request.position));
    add("position_by", std::to_string(request.position_by));
    return "{\"request\":{" + out + "}}";
}

}  // namespace

namespace standin {

void forget() {
    remembered.clear();
}

Json call(const std::string &function, const std::string &arguments, long &error) {
    const std::string &where = options().terminal;
    std::string body = "{\"function\":" + quote(function) + ",\"arguments\":" + arguments + "}";
    size_t colon = where.rfind(':');
    Answer answer = post(where.substr(0, colon), std::atoi(where.c_str() + colon + 1), "/terminal/call",
                         "Content-Type: application/json\r\n", body, CALL_TIMEOUT_MS);
    error = answer.connected ? -10002 : -10004;
    if(answer.status == 400) critical(("the terminal refuses a call: " + answer.body).c_str());
    if(answer.status != 200) return Json();
    try {
        Json reply = parse(answer.body);
        const Json *code = reply.member("error");
        const Json *value = reply.member("value");
        if(code == nullptr || value == nullptr || code->items.empty()) return Json();
        error = std::strtol(code->items[0].text.c_str(), nullptr, 10);
        return *value;
    } catch(const std::runtime_error &) {
        return Json();
    }
}

}  // namespace standin

int GetLastError() {
    return last_error;
}

void ResetLastError() {
    last_error = 0;
}

void SetLastError(int error) {
    last_error = error;
}

bool IsStopped() {
    return standin::options().stopped;
}

void Sleep(int milliseconds) {
    standin::forget();
    pause_ms(milliseconds);
}

ulong GetTickCount64() {
    return GetMicrosecondCount() / 1000;
}

ulong GetMicrosecondCount() {
    // Never 0, as the time since a machine was started isn't.
    auto now = std::chrono::steady_clock::now().time_since_epoch();
    return (ulong)std::chrono::duration_cast<std::chrono::microseconds>(now).count() + 1000000;
}

datetime TimeGMT() {
    return (datetime)std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
}

datetime TimeLocal() {
    return TimeGMT();
}

// The time of the newest quote in Market Watch.
datetime TimeCurrent() {
    datetime newest = 0;
    for(const Json &info : symbols(true)) newest = std::max(newest, (datetime)info.whole("time"));
    return newest;
}

datetime TimeTradeServer() {
    return TimeGMT();
}

bool TimeToStruct(datetime moment, MqlDateTime &parts) {
    std::tm out{};
    time_t seconds = moment;
    if(gmtime_r(&seconds, &out) == nullptr) return false;
    parts = {out.tm_year + 1900, out.tm_mon + 1, out.tm_mday, out.tm_hour,
             out.tm_min,         out.tm_sec,     out.tm_wday, out.tm_yday};
    return true;
}

bool EventSetMillisecondTimer(int milliseconds) {
    standin::options().timer_ms = milliseconds;
    return true;
}

void EventKillTimer() {
    standin::options().timer_ms = 0;
}

int MQLInfoInteger(ENUM_MQL_INFO_INTEGER) {
    return standin::options().expert_allowed;
}

int TerminalInfoInteger(ENUM_TERMINAL_INFO_INTEGER property) {
    return (int)remember("terminal_info", "{}", 10).whole(field(field_of(property)));
}

string TerminalInfoString(ENUM_TERMINAL_INFO_STRING property) {
    return from_utf8(remember("terminal_info", "{}", 10).words(field(field_of(property))));
}

long AccountInfoInteger(ENUM_ACCOUNT_INFO_INTEGER property) {
    return remember("account_info", "{}", 10).whole(field(field_of(property)));
}

double AccountInfoDouble(ENUM_ACCOUNT_INFO_DOUBLE property) {
    return remember("account_info", "{}", 10).number(field(field_of(property)));
}

string AccountInfoString(ENUM_ACCOUNT_INFO_STRING property) {
    return from_utf8(remember("account_info", "{}", 10).words(field(field_of(property))));
}

int SymbolsTotal(bool selected) {
    return (int)symbols(selected).size();
}

string SymbolName(int position, bool selected) {
    std::vector<Json> list = symbols(selected);
    if(position < 0 || position >= (int)list.size()) return string();
    return from_utf8(list[(size_t)position].words("name"));
}

bool SymbolSelect(const string &name, bool select) {
    long error = 0;
    std::string arguments = named("symbol", name);
    arguments.insert(arguments.size() - 1, select ? ",\"enable\":true" : ",\"enable\":false");
    Json value = standin::call("symbol_select", arguments, error);
    standin::forget();
    return value.text == "true";
}

long SymbolInfoInteger(const string &name, ENUM_SYMBOL_INFO_INTEGER property) {
    return symbol_of(name).whole(field(field_of(property)));
}

double SymbolInfoDouble(const string &name, ENUM_SYMBOL_INFO_DOUBLE property) {
    return symbol_of(name).number(field(field_of(property)));
}

string SymbolInfoString(const string &name, ENUM_SYMBOL_INFO_STRING property) {
    return from_utf8(symbol_of(name).words(field(field_of(property))));
}

bool SymbolInfoTick(const string &name, MqlTick &tick) {
    Json value = remember("symbol_info_tick", named("symbol", name), 5);
    if(value.kind != Json::Object) {
        SetLastError(ERROR_UNKNOWN_SYMBOL);
        return false;
    }
    tick = {value.whole("time"), value.number("bid"), value.number("ask"), value.number("last"),
            (ulong)value.whole("volume"), value.whole("time_msc"), (uint)value.whole("flags"),
            value.number("volume_real")};
    return true;
}

// The wire only says whether the session is open now, so that it is one from midnight to midnight.
bool SymbolInfoSessionTrade(const string &name, ENUM_DAY_OF_WEEK, uint index, datetime &from, datetime &to) {
    if(index != 0 || remember("session_trade", named("symbol", name), 10).text != "true") return false;
    from = 0;
    to = 86400;
    return true;
}

int PositionsTotal() {
    return total("positions_get");
}

ulong PositionGetTicket(int index) {
    return select_at("positions_get", index, selected_position, ERROR_POSITION_NOT_FOUND);
}

long PositionGetInteger(ENUM_POSITION_PROPERTY_INTEGER property) {
    return selected_position.whole(field(field_of(property)));
}

double PositionGetDouble(ENUM_POSITION_PROPERTY_DOUBLE property) {
    return selected_position.number(field(field_of(property)));
}

string PositionGetString(ENUM_POSITION_PROPERTY_STRING property) {
    return from_utf8(selected_position.words(field(field_of(property))));
}

int OrdersTotal() {
    return total("orders_get");
}

ulong OrderGetTicket(int index) {
    return select_at("orders_get", index, selected_order, ERROR_ORDER_NOT_FOUND);
}

bool OrderSelect(ulong ticket) {
    bool good = false;
    std::vector<Json> list = list_of("orders_get", "{\"ticket\":" + std::to_string(ticket) + "}", good);
    const Json *found = with_ticket(list, ticket);
    if(found == nullptr) {
        SetLastError(ERROR_ORDER_NOT_FOUND);
        return false;
    }
    selected_order = *found;
    return true;
}

long OrderGetInteger(ENUM_ORDER_PROPERTY_INTEGER property) {
    return selected_order.whole(field(field_of(property)));
}

double OrderGetDouble(ENUM_ORDER_PROPERTY_DOUBLE property) {
    return selected_order.number(field(field_of(property)));
}

string OrderGetString(ENUM_ORDER_PROPERTY_STRING property) {
    return from_utf8(selected_order.words(field(field_of(property))));
}

bool HistorySelect(datetime from, datetime to) {
    bool orders = false;
    bool deals = false;
    std::string range = "{\"date_from\":" + std::to_string(from) + ",\"date_to\":" + std::to_string(to) + "}";
    history_orders = list_of("history_orders_get", range, orders);
    history_deals = list_of("history_deals_get", range, deals);
    if(!orders || !deals) SetLastError(ERROR_WRONG_PROPERTY);
    return orders && deals;
}

// Selecting one item leaves only that one in the program's list.
bool HistoryOrderSelect(ulong ticket) {
    bool good = false;
    std::vector<Json> list = list_of("history_orders_get", "{\"ticket\":" + std::to_string(ticket) + "}", good);
    const Json *found = with_ticket(list, ticket);
    if(found == nullptr) {
        SetLastError(ERROR_ORDER_NOT_FOUND);
        return false;
    }
    history_orders = {*found};
    return true;
}

// The package looks deals up by their order or position, not by their own ticket.
bool HistoryDealSelect(ulong ticket) {
    bool good = false;
    std::vector<Json> list = list_of("history_deals_get", "{\"date_from\":0,\"date_to\":4102444800}", good);
    const Json *found = with_ticket(list, ticket);
    if(found == nullptr) {
        SetLastError(ERROR_DEAL_NOT_FOUND);
        return false;
    }
    history_deals = {*found};
    return true;
}

int HistoryOrdersTotal() {
    return (int)history_orders.size();
}

ulong HistoryOrderGetTicket(int index) {
    if(index < 0 || index >= HistoryOrdersTotal()) return 0;
    return (ulong)history_orders[(size_t)index].whole("ticket");
}

long HistoryOrderGetInteger(ulong ticket, ENUM_ORDER_PROPERTY_INTEGER property) {
    return in_history(history_orders, ticket, ERROR_ORDER_NOT_FOUND).whole(field(field_of(property)));
}

double HistoryOrderGetDouble(ulong ticket, ENUM_ORDER_PROPERTY_DOUBLE property) {
    return in_history(history_orders, ticket, ERROR_ORDER_NOT_FOUND).number(field(field_of(property)));
}

string HistoryOrderGetString(ulong ticket, ENUM_ORDER_PROPERTY_STRING property) {
    return from_utf8(in_history(history_orders, ticket, ERROR_ORDER_NOT_FOUND).words(field(field_of(property))));
}

int HistoryDealsTotal() {
    return (int)history_deals.size();
}

ulong HistoryDealGetTicket(int index) {
    if(index < 0 || index >= HistoryDealsTotal()) return 0;
    return (ulong)history_deals[(size_t)index].whole("ticket");
}

long HistoryDealGetInteger(ulong ticket, ENUM_DEAL_PROPERTY_INTEGER property) {
    return in_history(history_deals, ticket, ERROR_DEAL_NOT_FOUND).whole(field(field_of(property)));
}

double HistoryDealGetDouble(ulong ticket, ENUM_DEAL_PROPERTY_DOUBLE property) {
    return in_history(history_deals, ticket, ERROR_DEAL_NOT_FOUND).number(field(field_of(property)));
}

string HistoryDealGetString(ulong ticket, ENUM_DEAL_PROPERTY_STRING property) {
    return from_utf8(in_history(history_deals, ticket, ERROR_DEAL_NOT_FOUND).words(field(field_of(property))));
}

// Sends and waits. What has no answer of the server is false with an error and a retcode of 0; an
// answer that is no success is false as well.
bool OrderSend(MqlTradeRequest &request, MqlTradeResult &result) {
    long error = 0;
    result = MqlTradeResult{};
    Json value = standin::call("order_send", request_arguments(request), error);
    standin::forget();
    if(value.kind != Json::Object) {
        SetLastError(error == -8 ? ERR_TRADE_DISABLED : error == -2 ? ERR_INVALID_PARAMETER : ERROR_SEND_FAILED);
        return false;
    }
    result.retcode = (uint)value.whole("retcode");
    result.deal = (ulong)value.whole("deal");
    result.order = (ulong)value.whole("order");
    result.volume = value.number("volume");
    result.price = value.number("price");
    result.bid = value.number("bid");
    result.ask = value.number("ask");
    result.comment = from_utf8(value.words("comment"));
    result.request_id = (uint)value.whole("request_id");
    result.retcode_external = (int)value.whole("retcode_external");
    bool success = result.retcode == TRADE_RETCODE_PLACED || result.retcode == TRADE_RETCODE_DONE
                   || result.retcode == TRADE_RETCODE_DONE_PARTIAL;
    if(!success) SetLastError(ERROR_SEND_FAILED);
    return success;
}

int WebRequest(const string &method, const string &url, const string &headers, int timeout, const array<char> &data,
               array<char> &result, string &result_headers) {
    std::string where = utf8(url);
    const std::string &allowed = standin::options().allowed;
    standin::forget();
    result.items.clear();
    if(allowed.empty() || where.compare(0, allowed.size(), allowed) != 0) {
        SetLastError(ERR_FUNCTION_NOT_ALLOWED);
        return -1;
    }
    size_t host = where.compare(0, 7, "http://") == 0 ? 7 : std::string::npos;
    size_t path = where.find('/', host == std::string::npos ? 0 : host);
    size_t colon = where.find(':', host == std::string::npos ? 0 : host);
    if(method != string(u"POST") || host == std::string::npos || colon == std::string::npos || colon > path) {
        SetLastError(5200);
        return -1;
    }
    standin::Answer answer = standin::post(where.substr(host, colon - host), std::atoi(where.c_str() + colon + 1),
                                           where.substr(path), utf8(headers),
                                           std::string(data.items.begin(), data.items.end()), timeout);
    if(answer.status < 0) {
        SetLastError(answer.timed_out ? 5202 : answer.connected ? 5203 : 5201);
        return -1;
    }
    result.items.assign(answer.body.begin(), answer.body.end());
    result_headers = from_utf8(answer.headers);
    return answer.status;
}
