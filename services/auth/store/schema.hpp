// auth's tables. No table holds a password, a token or anything from which one could be had: of
// passwords there is the Argon2id text, of refresh and mailed tokens the SHA-256.
#pragma once
#include "libs/sql/migrations.hpp"

namespace urr::auth {

extern const Migration migrations[1];

} // namespace urr::auth
