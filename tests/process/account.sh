#!/usr/bin/env bash
# A fan's account with curl through the real program: register, mail, confirm, login, me, refresh,
# logout; tokens of any other kind are refused; keys rotate under a living sign-in.
set -eu
urr=$1
folder=$(mktemp -d)
trap 'kill "${server:-0}" 2>/dev/null || true; wait 2>/dev/null; rm -rf "$folder"' EXIT
export URR_DATA=$folder/data URR_SECURE_COOKIES=no URR_PORT URR_VWR_PORT
read -r URR_PORT URR_VWR_PORT < <("$(dirname "$0")/../free_ports.py" 2)
base=http://127.0.0.1:$URR_PORT
auth=$base/api/v1/auth
jar=$folder/jar

field() { grep -oE "\"$1\":(\"[^\"]*\"|[a-z0-9.]+)" | head -n 1 | sed -E 's/^"[^"]*"://; s/"//g'; }
fail() { echo "FAILED: $*"; exit 1; }
is() { [ "$1" = "$2" ] || fail "$3: $1, not $2"; }
post() { curl -s -b "$jar" -c "$jar" -X POST -H "Content-Type: application/json" "$auth/$1" ${2:+-d "$2"}; }
me() { curl -s -o "$folder/me" -w '%{http_code}' "$@" "$auth/me"; }
cookie() { awk -v name="$1" '$6 == name {print $7}' "$jar"; }
start() {
    "$urr" serve >"$folder/log" 2>&1 &
    server=$!
    for _ in $(seq 600); do
        [ "$(curl -s "$base/health" | field status)" = ok ] && return
        sleep 0.1
    done
    fail "not ready: $(cat "$folder/log")"
}
stop() {
    kill "-$1" "$server"
    wait "$server" 2>/dev/null || true
}

"$urr" keys >/dev/null
"$urr" seed 2>"$folder/people" >"$folder/events"
event=$(head -n 1 "$folder/events" | cut -d' ' -f1)
password=$(sed -n 's/^demo admin: admin@demo.urr, password //p' "$folder/people")
[ ${#password} = 16 ] || fail "no demo admin: $(cat "$folder/people")"
grep -q "^demo fan: fan@demo.urr, password " "$folder/people" || fail "no demo fan"
[ -z "$("$urr" seed --once 2>&1 >"$folder/again")" ] || fail "demo people twice"
start

# Nobody waits for places of a line that never was, also where an event has blocked seats.
anyone=$("$urr" token mint | cut -d' ' -f2)
for id in $(cut -d' ' -f1 "$folder/events"); do
    for _ in $(seq 600); do
        answer=$(curl -s -H "Authorization: Bearer $anyone" "$base/api/v1/queue/$id/status" | field code)
        [ "$answer" = NOT_IN_QUEUE ] && break
        sleep 0.1
    done
    is "$answer" NOT_IN_QUEUE "the line of a new event"
done

person='{"email":"Fan@Example.com","password":"tr4mp-violet-91","name":"Kim Fan"}'
is "$(post register "$person" | field email)" fan@example.com register
is "$(post register "$person" | field code)" EMAIL_TAKEN "the same address again"
is "$(post register '{"email":"b@example.com","password":"Password2026!","name":"B"}' | field code)" \
    PASSWORD_TOO_WEAK "a weak password"
# The mail is owed from the answer on, also when the process is killed now.
stop KILL
start
mail=
for _ in $(seq 600); do
    mail=$(find "$URR_DATA/mail/outbox" -name '*.eml' 2>/dev/null | head -n 1)
    [ -n "$mail" ] && break
    sleep 0.1
done
[ -n "$mail" ] || fail "no mail"
code=$(tr -d '\r' <"$mail" | sed -n 's/^Code: //p')

is "$(post login '{"email":"fan@example.com","password":"wrong-password"}' | field code)" \
    LOGIN_FAILED "a wrong password"
login='{"email":"fan@example.com","password":"tr4mp-violet-91"}'
is "$(post login "$login" | field emailVerified)" false login
is "$(curl -s -b "$jar" -X POST "$base/api/v1/queue/$event/entry" | field code)" \
    EMAIL_NOT_VERIFIED "booking before the address is confirmed"
is "$(post confirm "{\"token\":\"$code\"}" | field emailVerified)" true confirm
is "$(post confirm "{\"token\":\"$code\"}" | field code)" CONFIRMATION_INVALID "the same code again"

spent=$(cookie refresh_token)
is "$(post refresh | field emailVerified)" true refresh
first=$(cookie refresh_token)
[ "$first" != "$spent" ] || fail "the refresh token did not change"
post refresh >/dev/null
# A tab that was late: the same successor again.
sed "s/$(cookie refresh_token)/$spent/" "$jar" >"$folder/late"
curl -s -b "$folder/late" -c "$folder/late" -X POST "$auth/refresh" >/dev/null
grep -q "$first" "$folder/late" || fail "another successor"
is "$(me -b "$jar")" 200 me
is "$(field name <"$folder/me")" "Kim Fan" me
id=$(field id <"$folder/me")
is "$(curl -s -b "$jar" -X PATCH -H "Content-Type: application/json" -d '{"phone":"010-1234-5678"}' \
    "$auth/me" | field phone)" 010-1234-5678 "the new phone"
is "$(curl -s -b "$jar" -X POST "$base/api/v1/queue/$event/entry" | field code)" VWR_TOKEN_REQUIRED \
    "the way to the seats is open"

is "$(curl -s -X POST -H "Content-Type: application/json" "$auth/login" \
    -d "{\"email\":\"admin@demo.urr\",\"password\":\"$password\"}" | field role)" admin "the demo admin"

# No other token signs anybody in.
access=$(cookie access_token)
is "$(me -H "Authorization: Bearer $access")" 200 "bearer"
base64url() { base64 -w0 | tr '+/' '-_' | tr -d '='; }
none=$(printf '{"alg":"none","typ":"access"}' | base64url)
body=${access#*.}
for forged in "$none.${body%.*}." "${access%.*}.$(printf '%064d' 0 | base64url)" "${access%?}" \
    "$(cookie refresh_token)" "$code"; do
    is "$(me -H "Authorization: Bearer $forged")" 401 "a forged token"
done
is "$(me -H "X-User-Id: $id" -H "X-User-Role: admin")" 401 "a claimed identity"
is "$(curl -s -o /dev/null -w '%{http_code}' "$base/internal/users/$id")" 404 \
    "an internal route from outside"

# Keys rotate; who is signed in stays so, also over the restart.
is "$(curl -s "$base/.well-known/jwks.json" | grep -o '"kid"' | wc -l)" 1 "one key"
"$urr" keys rotate access >/dev/null
stop TERM
start
is "$(curl -s "$base/.well-known/jwks.json" | grep -o '"kid"' | wc -l)" 2 "the key and the one before"
is "$(me -H "Authorization: Bearer $access")" 200 "a token of the key before"
is "$(post refresh | field emailVerified)" true "refresh after the rotation"
is "$(me -b "$jar")" 200 "a token of the new key"

before=$(cookie refresh_token)
access=$(cookie access_token)
is "$(me -H "Authorization: Bearer $access")" 200 "the token before the logout"
curl -si -b "$jar" -X POST "$auth/logout" >"$folder/out"
grep -q "^HTTP/1.1 204" "$folder/out" || fail "logout"
is "$(grep -c -E "^Set-Cookie: (access|refresh)_token=; Max-Age=0;" "$folder/out")" 2 "cookies cleared"
is "$(curl -s -b "refresh_token=$before" -X POST "$auth/refresh" | field code)" REFRESH_TOKEN_INVALID \
    "refresh after the logout"
is "$(me -H "Authorization: Bearer $access")" 401 "the access token after the logout"
is "$(field code <"$folder/me")" TOKEN_INVALID "the access token after the logout"
is "$(curl -s -o /dev/null -w '%{http_code}' -b "access_token=$access" "$base/api/v1/events")" 200 \
    "what anybody may read"
stop KILL
start
is "$(me -H "Authorization: Bearer $access")" 401 "the access token after the logout and a crash"
is "$(post login "$login" | field emailVerified)" true "the next sign-in"
is "$(me -b "$jar")" 200 "the next sign-in"
grep -q "tr4mp-violet-91\|Fan@Example\|fan@example" "$folder/log" && fail "personal data in the log"
echo "registered, confirmed, signed in and out"
