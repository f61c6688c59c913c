#include "services/auth/jobs/mailer.hpp"

namespace urr::auth {

namespace {

constexpr std::int64_t batch = 20;
constexpr Duration poll = seconds(5);

constexpr auto take_work = [](Tx& tx) { return take_due_mails(tx, batch); };
constexpr auto note_work = [](Tx& tx, MailedTokenId token) { return note_mailed(tx, token); };

// What a mail says, in both languages; {code}, {link} and {until} are filled in. Not the name: who
// registers somebody else's address must not have a line to write to him.
constexpr std::string_view confirm_subject = "URR 이메일 주소 확인 · Confirm";
constexpr std::string_view confirm_text = R"(안녕하세요.

URR에 가입해 주셔서 감사합니다. 예매하려면 이메일 주소를 확인해 주세요.
가입한 적이 없다면 이 메일을 무시하셔도 됩니다.

Hello, thank you for joining URR. Please confirm this address before you book.
If you did not sign up, ignore this mail.

{link}Code: {code}
Valid until: {until}
)";
constexpr std::string_view reset_subject = "URR 비밀번호 재설정 · Reset";
constexpr std::string_view reset_text = R"(안녕하세요.

비밀번호를 다시 정하려면 아래 코드를 사용해 주세요. 요청한 적이 없다면 이 메일을 무시하셔도 됩니다.

Hello, use this code to choose a new password. It ends all your sign-ins.
If you did not ask for it, ignore this mail.

{link}Code: {code}
Valid until: {until}
)";

std::string filled(std::string_view form, std::string_view code, std::string_view link,
                   std::string_view until) {
    std::string text(form);
    const std::pair<std::string_view, std::string_view> values[] = {
        {"{code}", code}, {"{link}", link}, {"{until}", until}};
    for (const auto& [mark, value] : values) text.replace(text.find(mark), mark.size(), value);
    return text;
}

} // namespace

Mail Mailer::letter(const DueMail& due) const {
    const bool confirms = due.purpose == Purpose::confirm;
    const std::string code = tokens_.mailed_token(due.token, due.purpose);
    std::string link;
    // Behind the #, so that no server on the way logs it.
    if (!site_.empty())
        link = site_ + (confirms ? "/confirm#" : "/reset-password#") + code + "\n\n";
    return {due.token.text(), due.email, std::string(confirms ? confirm_subject : reset_subject),
            filled(confirms ? confirm_text : reset_text, code, link, to_rfc3339(due.expires)),
            clock_.now()};
}

Task<Result<std::size_t>> Mailer::carry(Context context) {
    const auto mails = TRY(co_await database_.transact(context, take_work));
    for (const DueMail& mail : mails) {
        const auto carried = co_await carrier_.carry(context, letter(mail));
        if (!carried) {
            figures_.mails_failed.add();
            log_.write(Level::warning, "mail_failed",
                       {{"code", name(carried.error().code())}, {"why", carried.error().text()}});
            continue; // due again after its pause
        }
        figures_.mails.add();
        TRY(co_await database_.transact(context, note_work, mail.token));
    }
    co_return mails.size();
}

Task<> Mailer::run() {
    for (;;) {
        due_.reset(); // before looking: what comes meanwhile opens it again
        const auto carried = co_await carry(Context{});
        if (carried && *carried == std::size_t(batch)) continue;
        Context until;
        until.deadline = Loop::here().now() + poll;
        (void)co_await due_.wait(until);
    }
}

} // namespace urr::auth
