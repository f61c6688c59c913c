#include "apps/urr/people.hpp"

#include <cstdio>
#include <fstream>

#include "apps/urr/commands.hpp"
#include "apps/urr/stores.hpp"
#include "libs/async/run_to_end.hpp"
#include "libs/security/base64url.hpp"
#include "services/auth/component.hpp"
#include "services/auth/domain/email.hpp"

namespace urr::app {

namespace {

constexpr std::pair<std::string_view, Role> demo_people[] = {{"admin", Role::admin},
                                                             {"fan", Role::user}};

Task<Result<auth::User>> make(Database& store, Offload& pool, PasswordCost cost, Person person) {
    SystemClock clock;
    SystemRandom random;
    Passwords passwords(pool, random, cost);
    co_return co_await auth::create_user(Context{}, store, passwords, clock, random,
                                         auth::Registration{std::move(person.email),
                                                            std::move(person.password),
                                                            std::move(person.name), std::nullopt},
                                         person.role);
}

// The first line of the file.
Result<std::string> read_password(const std::string& path) {
    std::ifstream file(path);
    std::string line;
    if (!std::getline(file, line))
        return fail(Code::UNAVAILABLE, "cannot read a password from " + path);
    return line;
}

} // namespace

std::string drawn_password(Random& random) {
    std::array<unsigned char, 12> bytes;
    random.fill(bytes);
    return base64url(bytes);
}

Result<auth::User> make_person(const Settings& settings, RunLoop& loop, Database& auth_store,
                               Person person) {
    auto email = auth::normal_email(person.email);
    if (!email) return fail(Code::VALIDATION_FAILED, "not an e-mail address: " + person.email);
    person.email = std::move(*email);
    const auto pool = make_thread_offload(1, 1);
    return run_to_end(loop,
                      make(auth_store, *pool, auth::password_cost(settings), std::move(person)));
}

Result<> seed_people(const Settings& settings, Database& auth_store) {
    SystemRandom random;
    for (const auto& [name, role] : demo_people) {
        const std::string email = std::string(name) + "@demo.urr";
        std::string password = drawn_password(random);
        const auto loop = make_asio_loop();
        const auto made = make_person(settings, *loop, auth_store,
                                      {email, "Demo " + std::string(name), password, role});
        if (!made && made.error().code() == Code::EMAIL_TAKEN) continue;
        if (!made) return fail(made.error().clone());
        std::fprintf(stderr, "demo %.*s: %s, password %s\n", int(name.size()), name.data(),
                     email.c_str(), password.c_str());
    }
    return {};
}

int admin(const Settings& settings, const Arguments& given) {
    Arguments arguments = given;
    if (arguments.empty() || arguments[0] != "create") return wrong_use("admin: say admin create");
    arguments.erase(arguments.begin());
    const std::string email = take_option(arguments, "--email", "");
    const std::string name = take_option(arguments, "--name", "Admin");
    const std::string file = take_option(arguments, "--password-file", "");
    if (!arguments.empty()) return wrong_use("admin create: unknown argument " + arguments[0]);
    if (email.empty()) return wrong_use("admin create: --email is needed");
    SystemClock clock;
    SystemRandom random;
    auto password =
        file.empty() ? Result<std::string>(drawn_password(random)) : read_password(file);
    if (!password) return failed(password.error());
    const auto loop = make_asio_loop();
    Roles only_auth = Roles::none();
    only_auth.auth = true;
    auto stores = Stores::open({settings, clock, random, *loop}, only_auth);
    if (!stores) return failed(stores.error());
    const auto made =
        make_person(settings, *loop, *stores->auth, {email, name, *password, Role::admin});
    if (!made && made.error().code() == Code::EMAIL_TAKEN)
        return failed(Error(Code::EMAIL_TAKEN, email + " has an account already; an admin gives "
                                                       "it the role"));
    if (!made) return failed(made.error());
    std::printf("%s  %s\n", made->id.text().c_str(), made->email.c_str());
    if (file.empty()) std::printf("password: %s (shown this once)\n", password->c_str());
    return 0;
}

} // namespace urr::app
