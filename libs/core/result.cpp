#include "libs/core/result.hpp"

namespace urr {

namespace {

constexpr CodeInfo table[] = {
#define URR_ERROR(code, status, retryable, korean, english)                                        \
    {Code::code, #code, status, retryable, korean, english},
#include "libs/core/errors.def"
#undef URR_ERROR
};

const std::vector<FieldError> no_fields;

} // namespace

struct Error::Detail {
    Code code;
    Cause cause = Cause::unsaid;
    int retry_after_s = 0;
    std::string text;
    std::vector<FieldError> fields;
};

const CodeInfo& info(Code code) { return table[std::size_t(code)]; }

const CodeInfo* find_code(std::string_view name) {
    for (const CodeInfo& row : table)
        if (row.name == name) return &row;
    return nullptr;
}

std::string_view name(Code code) { return info(code).name; }

Error::Error(Code code, std::string text) : Error(code, std::move(text), {}) {}

Error::Error(Code code, std::string text, std::vector<FieldError> fields)
    : bits_(reinterpret_cast<std::uintptr_t>(
          new Detail{.code = code, .text = std::move(text), .fields = std::move(fields)})) {}

Error::Detail* Error::detail() const {
    return (bits_ & 1) ? nullptr : reinterpret_cast<Detail*>(bits_);
}

Error::Detail& Error::need_detail() {
    if (bits_ & 1) *this = Error(code(), std::string());
    return *detail();
}

void Error::release() { delete detail(); }

Code Error::code() const { return (bits_ & 1) ? Code(bits_ >> 1) : detail()->code; }

std::string_view Error::text() const {
    const Detail* d = detail();
    return d ? std::string_view(d->text) : std::string_view();
}

const std::vector<FieldError>& Error::fields() const {
    const Detail* d = detail();
    return d ? d->fields : no_fields;
}

int Error::retry_after_s() const {
    const Detail* d = detail();
    return d ? d->retry_after_s : 0;
}

Error Error::retry_after(int seconds) && {
    need_detail().retry_after_s = seconds;
    return std::move(*this);
}

Cause Error::cause() const {
    const Detail* d = detail();
    return d ? d->cause : Cause::unsaid;
}

Error Error::because(Cause cause) && {
    need_detail().cause = cause;
    return std::move(*this);
}

Error Error::clone() const {
    const Detail* d = detail();
    if (!d) return Error(code());
    return Error(d->code, d->text, d->fields).retry_after(d->retry_after_s).because(d->cause);
}

} // namespace urr
