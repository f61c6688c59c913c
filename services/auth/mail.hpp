// Mail: what the service has to say to people, and whoever carries it. At least once: a mail that
// comes twice has the same id and the same text.
#pragma once
#include <string>

#include "libs/async/offload.hpp"
#include "libs/async/task.hpp"

namespace urr::auth {

struct Mail {
    std::string id; // a file name: letters, digits, dashes
    std::string to; // in its one spelling: it cannot break a header
    std::string subject, text;
    Instant written;
};

class MailCarrier {
public:
    virtual ~MailCarrier() = default;
    // Accepted durably when it returns.
    virtual Task<Result<void>> carry(Context context, Mail mail) = 0;
};

// The local outbox: one file per mail, `folder`/<id>.eml, readable by its owner alone since it
// holds tokens. A file appears complete or not at all, and the same mail again takes its own place.
std::unique_ptr<MailCarrier> make_folder_carrier(Offload& files, std::string folder,
                                                 std::string from);

// As RFC 5322 has it, lines ending in CRLF.
std::string mail_text(const Mail& mail, std::string_view from);

} // namespace urr::auth
