// Posters as organizers give them and everybody sees them, on a folder; and what is left when
// something fails between the file and the row.
#include "services/catalog/catalog.hpp"
#include "services/ticket/http/poster_routes.hpp"
#include "tests/thread/on_sale.hpp"

namespace urr {
namespace {

using namespace std::string_literals;

std::string png_of(std::string tail) {
    return "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\2\0\0\0"s + tail +
           std::string(8, '.');
}
std::string gif_of(std::string tail) { return "GIF89a\1\0\1\0\0\0\0,"s + tail; }

// A folder that fails as told.
struct Trouble final : Files {
    std::unique_ptr<Files> inner;
    std::optional<Code> put_fails, get_fails, remove_fails;
    Gate* stands_still = nullptr; // behind a put that is done
    // Before it begins; whatever the deadline, as what a thread has taken does.
    Gate *put_hangs = nullptr, *remove_hangs = nullptr;
    int puts_hung = 0;
    int gets = 0;

    Task<Result<void>> put(Context context, std::string name, std::string bytes,
                           std::string type) override {
        if (put_hangs) {
            ++puts_hung;
            (void)co_await put_hangs->wait(context = Context{});
        }
        if (put_fails) co_return fail(*put_fails);
        TRY(co_await inner->put(context, std::move(name), std::move(bytes), std::move(type)));
        if (stands_still) (void)co_await stands_still->wait(Context{});
        co_return Result<void>{};
    }
    Task<Result<std::string>> get(Context context, std::string name) override {
        ++gets;
        if (get_fails) co_return fail(*get_fails);
        co_return co_await inner->get(context, std::move(name));
    }
    Task<Result<void>> remove(Context context, std::string name) override {
        if (remove_hangs) (void)co_await remove_hangs->wait(context = Context{});
        if (remove_fails) co_return fail(*remove_fails);
        co_return co_await inner->remove(context, std::move(name));
    }
    Task<Result<std::vector<std::string>>> list(Context context, std::string prefix) override {
        co_return co_await inner->list(context, std::move(prefix));
    }
};

struct PostersOnSale : OnSale {
    std::unique_ptr<Offload> offload = make_thread_offload(1, 64);
    Trouble files;
    std::unique_ptr<ticket::Posters> posters;
    std::unique_ptr<ticket::PosterRoutes> poster_routes;
    Principal admin;

    PostersOnSale() {
        fs::create_directories(folder / "files");
        files.inner = make_folder_files(*offload, random, (folder / "files").string());
        serve({&files, offload.get()});
    }
    // Before each run of its own: `start` makes ticket anew.
    void serve(ticket::PosterFiles to) {
        posters = std::make_unique<ticket::Posters>(*tickets, to);
        poster_routes = std::make_unique<ticket::PosterRoutes>(*tickets, *posters);
        poster_routes->add_to(ticket_face->router());
    }
    Task<> begin() {
        co_await prepare();
        admin = fan();
        admin.role = Role::admin;
    }
    std::string path() const { return "/api/v1/admin/events/" + event.text() + "/poster"; }
    Task<Response> put(std::string bytes) {
        co_return co_await ask_ticket(admin, Method::put, path(), std::move(bytes));
    }
    Task<Response> remove() { co_return co_await ask_ticket(admin, Method::del, path()); }
    // Until what is under way for the event is over.
    Task<> put_when_free(std::string bytes) {
        Response answer;
        while (code_if_any(answer = co_await put(bytes)) == "OVERLOADED")
            must(co_await sleep(Context{}, milliseconds(1)));
        EXPECT_EQ(answer.status, 200) << answer.body;
    }
    static std::string code_if_any(const Response& response) {
        return response.status < 400 ? "" : code_of(response);
    }
    Task<Response> get(std::string path, std::string tag = {}) {
        Request request;
        request.target = request.path = path;
        if (!tag.empty()) request.add_header("If-None-Match", tag);
        const CallerHeaders headers(gateway, "ticket", Principal{}, request, clock.now());
        headers.attach(request);
        co_return co_await ticket_face->handle(Context{}, request);
    }
    // Its path, or "null"; and what the store says the same.
    Task<std::string> poster() {
        const Response shown =
            co_await ask_ticket(admin, Method::get, "/api/v1/admin/events/" + event.text());
        const JsonValue body = must(parse_json(shown.body));
        const std::string known(body.text_of("poster"));
        const std::string file = must(co_await tickets->poster(Context{}, event));
        EXPECT_EQ(known, file.empty() ? "" : "/api/v1/images/" + event.text() + "/" + file);
        EXPECT_EQ(body.find("poster")->kind == JsonValue::Kind::null, file.empty());
        co_return known.empty() ? "null" : known;
    }
    Task<std::vector<std::string>> stored() {
        co_return must(co_await files.list(Context{}, "posters/" + event.text() + "/"));
    }
    Task<std::string> acts() {
        const Response log = co_await ask_ticket(admin, Method::get, "/api/v1/admin/audit");
        std::string all;
        const JsonValue lines = must(parse_json(log.body));
        for (const JsonValue& line : lines.find("items")->items)
            if (line.text_of("act").starts_with("poster"))
                all += std::string(line.text_of("act")) + " ";
        co_return all;
    }
};

Task<> gives(PostersOnSale& t) {
    co_await t.begin();
    EXPECT_EQ(co_await t.poster(), "null");
    const std::string first = png_of("first"), second = gif_of("second");
    Response answer = co_await t.put(first);
    EXPECT_EQ(answer.status, 200) << answer.body;
    const std::string path = co_await t.poster();
    EXPECT_TRUE(path.ends_with(".png")) << path;
    // The same again: the same answer, and nothing more in the log.
    const std::string version(answer.header("ETag"));
    EXPECT_EQ((co_await t.put(first)).header("ETag"), version);
    EXPECT_EQ(co_await t.acts(), "poster.change ");
    Response image = co_await t.get(path);
    EXPECT_EQ(image.status, 200);
    EXPECT_EQ(image.body, first);
    EXPECT_EQ(image.content_type, "image/png");
    EXPECT_EQ(image.header("Cache-Control"), "public, max-age=31536000, immutable");
    EXPECT_EQ(image.header("X-Content-Type-Options"), "nosniff");
    const std::string tag(image.header("ETag"));
    const int gets = t.files.gets;
    EXPECT_EQ((co_await t.get(path, tag)).status, 304);
    EXPECT_EQ(t.files.gets, gets) << "a client that has it costs no reading";
    // Another one takes its place, also when seats were held; the file before goes.
    co_await t.hold(t.fan(), "[1]");
    answer = co_await t.put(second);
    EXPECT_EQ(answer.status, 200) << answer.body;
    EXPECT_NE(co_await t.poster(), path);
    EXPECT_EQ((co_await t.stored()).size(), 1u);
    EXPECT_EQ((co_await t.get(path)).status, 404);
    EXPECT_EQ((co_await t.get(path, tag)).status, 404);
    EXPECT_EQ((co_await t.get(co_await t.poster())).body, second);
    // And away, twice.
    for (int i = 0; i < 2; ++i)
        EXPECT_EQ((co_await t.ask_ticket(t.admin, Method::del, t.path())).status, 200);
    EXPECT_EQ(co_await t.poster(), "null");
    EXPECT_TRUE((co_await t.stored()).empty());
    EXPECT_EQ(co_await t.acts(), "poster.remove poster.change poster.change ");
    co_await t.hold(t.fan(), "[2]"); // it still sells
}
TEST_F(PostersOnSale, are_given_shown_replaced_and_taken_away) { run(gives(*this)); }

Task<> refuses(PostersOnSale& t) {
    co_await t.begin();
    const auto code = [&t](Principal who, std::string path, std::string body) -> Task<std::string> {
        co_return t.code_of(co_await t.ask_ticket(who, Method::put, path, body));
    };
    const std::string good = png_of("x");
    EXPECT_EQ(co_await code(Principal{}, t.path(), good), "UNAUTHENTICATED");
    EXPECT_EQ(co_await code(t.fan(), t.path(), good), "FORBIDDEN");
    EXPECT_EQ(t.code_of(co_await t.ask_ticket(t.fan(), Method::del, t.path())), "FORBIDDEN");
    const std::string nowhere = "/api/v1/admin/events/" + EventId{}.text() + "/poster";
    EXPECT_EQ(co_await code(t.admin, nowhere, good), "NOT_FOUND");
    EXPECT_EQ(co_await code(t.admin, t.path(), "a text, called poster.png"), "NOT_AN_IMAGE");
    EXPECT_EQ(co_await code(t.admin, t.path(), ""), "NOT_AN_IMAGE");
    const std::string most = gif_of("");
    const std::string room(ticket::poster_bytes_max - most.size(), 'x');
    EXPECT_EQ(co_await code(t.admin, t.path(), most + room + "x"), "BODY_TOO_LARGE");
    EXPECT_EQ(co_await t.poster(), "null");
    EXPECT_TRUE((co_await t.stored()).empty());
    EXPECT_EQ((co_await t.put(most + room)).status, 200);
    // Names that are not its poster's are nobody's, and no file is looked for.
    const std::string path = co_await t.poster();
    const std::string base = "/api/v1/images/" + t.event.text() + "/";
    const int gets = t.files.gets;
    for (const std::string& other :
         {base + std::string(64, 'a') + ".gif", base + "x", base + path.substr(base.size() + 1),
          base + path.substr(base.size(), 64) + ".png", path + ".gif", base + "..",
          "/api/v1/images/" + EventId{}.text() + "/" + path.substr(base.size()),
          "/api/v1/images/nothing/" + path.substr(base.size())})
        EXPECT_EQ((co_await t.get(other)).status, 404) << other;
    EXPECT_EQ(t.files.gets, gets);
    EXPECT_EQ((co_await t.get(path)).body.size(), ticket::poster_bytes_max);
}
TEST_F(PostersOnSale, that_are_none_and_names_that_are_none_are_refused) { run(refuses(*this)); }

Task<> fails_with_files(PostersOnSale& t) {
    co_await t.begin();
    EXPECT_EQ((co_await t.put(png_of("a"))).status, 200);
    const std::string path = co_await t.poster();
    // Whatever the store of files says, it is 503: anything else would count against ticket.
    for (const Code code : {Code::UNAVAILABLE, Code::OUTCOME_UNKNOWN, Code::BAD_GATEWAY,
                            Code::DEADLINE_EXCEEDED, Code::OVERLOADED}) {
        t.files.put_fails = t.files.get_fails = code;
        Response answer = co_await t.put(png_of("b"));
        EXPECT_EQ(answer.status, 503);
        EXPECT_EQ(t.code_of(answer), "UNAVAILABLE");
        EXPECT_EQ((co_await t.get(path)).status, 503);
        EXPECT_EQ(co_await t.poster(), path);
    }
    t.files.put_fails = t.files.get_fails = std::nullopt;
    EXPECT_EQ((co_await t.get(path)).status, 200);
    // A file that cannot be removed stays, and harms nobody.
    t.files.remove_fails = Code::UNAVAILABLE;
    EXPECT_EQ((co_await t.put(png_of("b"))).status, 200);
    EXPECT_NE(co_await t.poster(), path);
    EXPECT_EQ((co_await t.stored()).size(), 2u);
    EXPECT_EQ((co_await t.get(path)).status, 404);
    EXPECT_EQ(t.tickets->metrics().files.failed.value(), 11u);
    co_await t.hold(t.fan(), "[1]");
}
TEST_F(PostersOnSale, that_cannot_be_stored_leave_the_event_as_it_was) {
    run(fails_with_files(*this));
}

Task<> dies(PostersOnSale& t) {
    co_await t.begin();
    EXPECT_EQ((co_await t.put(png_of("a"))).status, 200);
    Gate never_opened;
    t.files.stands_still = &never_opened;
    {
        static constexpr auto upload = [](PostersOnSale& of) -> Task<> {
            (void)co_await of.put(png_of("b"));
            ADD_FAILURE() << "it should have died";
        };
        Nursery process;
        process.spawn(upload(t));
        while ((co_await t.stored()).size() < 2) must(co_await sleep(Context{}, milliseconds(1)));
        // Meanwhile another one has to wait, and is told so.
        EXPECT_EQ(t.code_of(co_await t.put(png_of("c"))), "OVERLOADED");
    }
    t.posters.reset(); // with what it was at
    t.files.stands_still = nullptr;
}
Task<> dies_later(PostersOnSale& t) {
    EXPECT_TRUE((co_await t.get(co_await t.poster())).body == png_of("a"));
    EXPECT_EQ(co_await t.acts(), "poster.change ");
    EXPECT_EQ((co_await t.put(png_of("b"))).status, 200);
    EXPECT_TRUE((co_await t.get(co_await t.poster())).body == png_of("b"));
    EXPECT_EQ((co_await t.stored()).size(), 1u); // the one that was left was taken up
}
TEST_F(PostersOnSale, of_a_process_that_died_between_file_and_row_are_not_there) {
    run(dies(*this));
    restart();
    serve({&files, offload.get()});
    run(dies_later(*this));
}

// Waits for the store as long as one does who upload through the gateway.
Task<> hangs(PostersOnSale& t) {
    co_await t.begin();
    EXPECT_EQ((co_await t.put(png_of("a"))).status, 200);
    const EventId first = t.event;
    const std::string path = co_await t.poster();
    Gate comes_back;
    t.files.put_hangs = &comes_back;
    static constexpr auto upload = [](PostersOnSale& of, std::string& code) -> Task<> {
        code = of.code_if_any(co_await of.put(png_of("b")));
    };
    std::string code = "none";
    Nursery clients;
    clients.spawn(upload(t, code));
    while (t.files.puts_hung < 1) must(co_await sleep(Context{}, milliseconds(1)));
    t.files.put_hangs = nullptr;
    // Other events have theirs meanwhile, and this one keeps what it has.
    co_await t.prepare();
    EXPECT_EQ((co_await t.put(png_of("other"))).status, 200);
    EXPECT_EQ((co_await t.get(co_await t.poster())).status, 200);
    EXPECT_EQ((co_await t.remove()).status, 200);
    t.event = first;
    must(co_await clients.drained(Context{}));
    EXPECT_EQ(code, "UNAVAILABLE");
    EXPECT_EQ(t.tickets->metrics().files.failed.value(), 1u);
    EXPECT_EQ(t.code_if_any(co_await t.put(png_of("c"))), "OVERLOADED");
    EXPECT_EQ(t.code_if_any(co_await t.remove()), "OVERLOADED");
    EXPECT_EQ((co_await t.get(path)).status, 200);
    // What comes back so late changes nothing: its client was told that it failed.
    comes_back.open();
    while ((co_await t.stored()).size() < 2) must(co_await sleep(Context{}, milliseconds(1)));
    EXPECT_EQ(co_await t.poster(), path);
    co_await t.put_when_free(png_of("b")); // takes up what was stored late
    EXPECT_EQ((co_await t.get(co_await t.poster())).body, png_of("b"));
    EXPECT_EQ((co_await t.stored()).size(), 1u);
    EXPECT_EQ(t.tickets->metrics().files.failed.value(), 1u);
}
TEST_F(PostersOnSale, that_a_folder_hangs_with_are_given_up_in_seconds) { run(hangs(*this)); }

Task<> hangs_at_removal(PostersOnSale& t) {
    co_await t.begin();
    EXPECT_EQ((co_await t.put(png_of("a"))).status, 200);
    Gate comes_back;
    t.files.remove_hangs = &comes_back;
    EXPECT_EQ((co_await t.remove()).status, 200) << "the row says so";
    t.files.remove_hangs = nullptr;
    EXPECT_EQ(co_await t.poster(), "null");
    EXPECT_EQ((co_await t.stored()).size(), 1u);
    EXPECT_EQ(t.tickets->metrics().files.failed.value(), 1u);
    // It may not be stored again while its removal is under way.
    EXPECT_EQ(t.code_if_any(co_await t.put(png_of("a"))), "OVERLOADED");
    comes_back.open();
    co_await t.put_when_free(png_of("a"));
    EXPECT_EQ((co_await t.get(co_await t.poster())).status, 200);
    EXPECT_EQ((co_await t.stored()).size(), 1u);
}
TEST_F(PostersOnSale, that_a_folder_hangs_with_are_taken_away_all_the_same) {
    run(hangs_at_removal(*this));
}

// What hangs is bounded, since each has its bytes in memory; also when its client has left.
Task<> many_hang(PostersOnSale& t) {
    co_await t.begin();
    Gate comes_back;
    t.files.put_hangs = &comes_back;
    static constexpr auto upload = [](PostersOnSale& of) -> Task<> {
        (void)co_await of.put(png_of("a"));
    };
    for (int i = 0; i < 8; ++i) {
        co_await t.prepare();
        Nursery client;
        client.spawn(upload(t));
        while (t.files.puts_hung <= i) must(co_await sleep(Context{}, milliseconds(1)));
    }
    co_await t.prepare();
    EXPECT_EQ(t.code_if_any(co_await t.put(png_of("a"))), "OVERLOADED");
    t.files.put_hangs = nullptr;
    comes_back.open();
    co_await t.put_when_free(png_of("a"));
}
TEST_F(PostersOnSale, that_a_folder_hangs_with_are_few) { run(many_hang(*this)); }

Task<> store_fails(PostersOnSale& t) {
    co_await t.begin();
    EXPECT_EQ((co_await t.put(png_of("a"))).status, 200);
    const std::string path = co_await t.poster();
    must(t.ticket_db->run_script("ALTER TABLE audit_log RENAME TO gone"));
    EXPECT_GE((co_await t.put(png_of("b"))).status, 500);
    must(t.ticket_db->run_script("ALTER TABLE gone RENAME TO audit_log"));
    EXPECT_EQ(co_await t.poster(), path) << "without its line in the log there is no act";
    EXPECT_EQ((co_await t.get(path)).status, 200);
}
TEST_F(PostersOnSale, and_their_lines_in_the_log_are_written_together) { run(store_fails(*this)); }

Task<> crowd(PostersOnSale& t) {
    co_await t.begin();
    EXPECT_EQ((co_await t.put(png_of("a"))).status, 200);
    static constexpr auto visit = [](PostersOnSale& of, std::string path) -> Task<> {
        EXPECT_EQ((co_await of.get(path)).status, 200);
    };
    const std::string path = co_await t.poster();
    Nursery visitors;
    for (int i = 0; i < 100; ++i) visitors.spawn(visit(t, path));
    must(co_await visitors.drained(Context{}));
    EXPECT_EQ(t.files.gets, 1);
}
TEST_F(PostersOnSale, that_many_want_at_once_are_read_once) { run(crowd(*this)); }

Task<> off(PostersOnSale& t) {
    co_await t.begin();
    EXPECT_EQ(t.code_of(co_await t.put(png_of("a"))), "UNAVAILABLE");
    EXPECT_EQ(t.code_of(co_await t.ask_ticket(t.admin, Method::del, t.path())), "UNAVAILABLE");
    EXPECT_EQ(co_await t.poster(), "null");
}
TEST_F(PostersOnSale, without_a_place_for_files_are_refused) {
    restart();
    serve({});
    run(off(*this));
}

Task<> in_the_catalog(PostersOnSale& t) {
    co_await t.begin();
    const auto shown = [&t](std::string path) -> Task<JsonValue> {
        catalog::Catalog catalog(*t.ticket_db, t.clock); // which has kept nothing
        Router router;
        catalog.add_to(router);
        Request request;
        request.target = request.path = path;
        co_return must(parse_json((co_await router.handle(Context{}, request)).body));
    };
    const std::string one = "/api/v1/events/" + t.event.text();
    JsonValue detail = co_await shown(one);
    EXPECT_EQ(detail.find("poster")->kind, JsonValue::Kind::null);
    EXPECT_EQ((co_await t.put(png_of("a"))).status, 200);
    detail = co_await shown(one);
    EXPECT_EQ(detail.text_of("poster"), co_await t.poster());
    const JsonValue list = co_await shown("/api/v1/events");
    EXPECT_EQ(list.find("items")->items[0].text_of("poster"), co_await t.poster());
}
TEST_F(PostersOnSale, are_named_by_the_catalog) { run(in_the_catalog(*this)); }

// Another process changes the event; this one follows.
Task<> elsewhere(PostersOnSale& t) {
    co_await t.begin();
    must(t.ticket_db->run_script("UPDATE events SET title = 'Day', version = version + 1"));
    EXPECT_EQ((co_await t.put(png_of("a"))).status, 200);
    const ticket::Event& known = t.tickets->find(t.event)->event();
    EXPECT_EQ(known.title, "Day") << "its own change must not hide what it has not read yet";
    EXPECT_TRUE((co_await t.poster()).ends_with(known.poster));
}
TEST_F(PostersOnSale, of_an_event_that_another_process_has_changed_hide_nothing) {
    run(elsewhere(*this));
}

} // namespace
} // namespace urr
