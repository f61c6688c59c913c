// The settings of the program as a whole; the services' stand beside them.
#pragma once
#include "libs/core/settings.hpp"

namespace urr::app {

inline constexpr SettingRow settings_table[] = {
    {"URR_DATA", Kind::text, "var", "folder of the embedded stores and keys"},
    {"URR_LISTEN", Kind::text, "127.0.0.1", "address to listen on"},
    {"URR_PORT", Kind::number, "3001", "port of the gateway", 0, 65'535},
    {"URR_VWR_PORT", Kind::number, "3006", "port of the waiting room alone", 0, 65'535},
    {"URR_TRUSTED_PROXIES", Kind::text, "",
     "networks whose X-Forwarded-For is believed: 127.0.0.1/32, 10.0.0.0/16"},
    {"URR_ORIGINS", Kind::text, "", "origins that browsers may call from (CORS), comma between"},
    {"URR_LIMIT_AUTH", Kind::number, "20", "requests a minute and caller: /api/v1/auth"},
    {"URR_LIMIT_QUEUE", Kind::number, "60", "requests a minute and caller: /api/v1/queue"},
    {"URR_LIMIT_BOOKING", Kind::number, "10", "writes a minute and caller: seats, reservations"},
    {"URR_LIMIT_GENERAL", Kind::number, "100", "requests a minute and caller: all else"},
    {"URR_ASSIGN_BURST", Kind::number, "1000", "numbers that one address may take at once"},
    {"URR_ASSIGN_PER_SECOND", Kind::number, "50", "numbers a second and address after that"},
    {"URR_RATE_PER_MINUTE", Kind::number, "500", "people let in a minute by the waiting room"},
    {"URR_RATE_ADAPTIVE", Kind::yes_no, "no", "let in what the queue can take instead"},
    {"URR_THRESHOLD", Kind::number, "1000", "people who may choose seats at once, per event"},
    {"URR_ADMITTED_PER_SECOND", Kind::number, "500", "people admitted to the seats a second"},
    {"URR_HOLD_SECONDS", Kind::number, "300", "how long a seat is held for payment"},
    {"URR_SECURE_COOKIES", Kind::yes_no, "yes", "cookies for HTTPS only"},
};

} // namespace urr::app
