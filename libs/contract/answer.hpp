// Turns a service's response back into a result: its body, or the error that its problem names.
#pragma once
#include "libs/core/json.hpp"
#include "libs/http/message.hpp"

namespace urr {

inline Result<std::string> body_of(Result<Response> answer) {
    if (!answer) return fail(std::move(answer).error());
    if (answer->status < 300) return std::move(answer->body);
    const auto problem = parse_json(answer->body);
    const CodeInfo* code = problem ? find_code(problem->text_of("code")) : nullptr;
    if (!code) return fail(Code::BAD_GATEWAY, "status " + std::to_string(answer->status));
    return fail(code->code, std::string(problem->text_of("detail")));
}

} // namespace urr
