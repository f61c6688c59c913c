// Results: the one way in which a call that can fail answers.
//
//     Result<Seat> find(SeatNumber number);            // a seat, or an Error
//     Seat seat = TRY(co_await store.find(number));    // in a coroutine: hands a failure on
//     Seat seat = TRY_PLAIN(find(number));             // the same in a plain function
//
// An Error is one pointer wide: a code of the table in errors.def, and a detail for people where
// one was given. It moves and never copies by accident (`clone` says so).
#pragma once
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace urr {

enum class Code : std::uint16_t {
#define URR_ERROR(code, status, retryable, korean, english) code,
#include "libs/core/errors.def"
#undef URR_ERROR
};

// One row of the error table.
struct CodeInfo {
    Code code;
    std::string_view name; // SEAT_TAKEN
    int status;            // HTTP status
    bool retryable;        // the same request may succeed later
    std::string_view korean;
    std::string_view english;
};

const CodeInfo& info(Code code);
// The row with that name, or nullptr.
const CodeInfo* find_code(std::string_view name);
std::string_view name(Code code);

// What lies behind a code, for who acts on more than that; people and other processes are told the
// code alone.
enum class Cause : std::uint8_t {
    unsaid,
    lock_kept, // libs/sql/lock_kept.hpp
};

// What is wrong with one field of a request.
struct FieldError {
    std::string field; // a JSON pointer without its first slash: "seats/0"
    std::string message;
};

class [[nodiscard]] Error {
public:
    explicit Error(Code code) noexcept : bits_((std::uintptr_t(code) << 1) | 1) {}
    // `text` is for the reader of a log or of a problem's `detail`: no secret, no personal data.
    Error(Code code, std::string text);
    Error(Code code, std::string text, std::vector<FieldError> fields);
    Error(Error&& other) noexcept : bits_(std::exchange(other.bits_, moved)) {}
    Error& operator=(Error&& other) noexcept {
        std::swap(bits_, other.bits_);
        return *this;
    }
    ~Error() {
        if (!(bits_ & 1)) release();
    }

    Code code() const;
    std::string_view text() const;
    const std::vector<FieldError>& fields() const;
    // Seconds after which the caller may ask again; 0: not said.
    int retry_after_s() const;
    Error retry_after(int seconds) &&;
    Cause cause() const;
    Error because(Cause cause) &&;
    Error clone() const;

private:
    struct Detail;
    static constexpr std::uintptr_t moved = (std::uintptr_t(Code::INTERNAL) << 1) | 1;
    Detail* detail() const;
    Detail& need_detail();
    void release();
    std::uintptr_t bits_; // odd: a bare code; even: a Detail of ours
};
static_assert(sizeof(Error) == sizeof(void*));

template <class T = void>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(Code code) { return std::unexpected<Error>(Error(code)); }
inline std::unexpected<Error> fail(Code code, std::string text) {
    return std::unexpected<Error>(Error(code, std::move(text)));
}
inline std::unexpected<Error> fail(Error&& error) {
    return std::unexpected<Error>(std::move(error));
}

namespace detail {
template <class T>
T take(Result<T>&& result) {
    return std::move(*result);
}
inline void take(Result<void>&&) {}
} // namespace detail

} // namespace urr

#define URR_PASTE_AGAIN(a, b) a##b
#define URR_PASTE(a, b) URR_PASTE_AGAIN(a, b)
#define URR_TRY(leave, result, ...)                                                                \
    __extension__({                                                                                \
        auto&& result = (__VA_ARGS__);                                                             \
        if (!result.has_value()) [[unlikely]]                                                      \
            leave ::urr::fail(std::move(result).error());                                          \
        ::urr::detail::take(std::move(result));                                                    \
    })
#define TRY(...) URR_TRY(co_return, URR_PASTE(urr_result_, __COUNTER__), __VA_ARGS__)
#define TRY_PLAIN(...) URR_TRY(return, URR_PASTE(urr_result_, __COUNTER__), __VA_ARGS__)
