#include "services/auth/store/schema.hpp"

namespace urr::auth {

const Migration migrations[1] = {{1, "accounts, sessions, mailed tokens", R"sql(
CREATE TABLE users (
    id BLOB PRIMARY KEY,
    email TEXT NOT NULL,
    password TEXT NOT NULL,
    name TEXT NOT NULL,
    phone TEXT,
    role INTEGER NOT NULL,
    verified INTEGER NOT NULL,
    created_us INTEGER NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX users_email ON users (email);
-- One per sign-in: the family of its refresh tokens. A session that has ended keeps its row until
-- its tokens have expired, access tokens too, so that they stay known as refused.
CREATE TABLE sessions (
    id BLOB PRIMARY KEY,
    account BLOB NOT NULL,
    device TEXT NOT NULL,
    created_us INTEGER NOT NULL,
    used_us INTEGER NOT NULL,
    expires_us INTEGER NOT NULL,
    ended_us INTEGER
) WITHOUT ROWID;
CREATE INDEX sessions_account ON sessions (account, used_us);
CREATE INDEX sessions_expires ON sessions (expires_us);
CREATE INDEX sessions_ended ON sessions (ended_us, id) WHERE ended_us IS NOT NULL;
CREATE TABLE refresh_tokens (
    hash BLOB PRIMARY KEY,
    session BLOB NOT NULL,
    generation INTEGER NOT NULL,
    expires_us INTEGER NOT NULL,
    spent_us INTEGER
) WITHOUT ROWID;
CREATE UNIQUE INDEX refresh_tokens_session ON refresh_tokens (session, generation);
-- Tokens that go by mail. The token is a keyed code of the id, made again when its mail is written.
-- due_us: when its mail is to be written; NULL: it has been, or never will.
CREATE TABLE mailed_tokens (
    id BLOB PRIMARY KEY,
    hash BLOB NOT NULL,
    account BLOB NOT NULL,
    purpose INTEGER NOT NULL,
    expires_us INTEGER NOT NULL,
    used_us INTEGER,
    due_us INTEGER,
    attempts INTEGER NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX mailed_tokens_hash ON mailed_tokens (hash);
CREATE INDEX mailed_tokens_account ON mailed_tokens (account, purpose);
CREATE INDEX mailed_tokens_due ON mailed_tokens (due_us) WHERE due_us IS NOT NULL;
CREATE INDEX mailed_tokens_expires ON mailed_tokens (expires_us);
)sql"}};

} // namespace urr::auth
