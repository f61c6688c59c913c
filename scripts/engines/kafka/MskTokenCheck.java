import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import javax.security.auth.callback.Callback;
import javax.security.auth.callback.UnsupportedCallbackException;
import javax.security.auth.login.AppConfigurationEntry;
import org.apache.kafka.common.security.auth.AuthenticateCallbackHandler;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerExtensionsValidatorCallback;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerToken;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallback;

/**
 * A test broker's check of what MSK takes by OAUTHBEARER: the base64url of a kafka-cluster:Connect URL
 * presigned by SigV4. Checks the action, the one known key, the signature and the expiry; a policy (who
 * may do what) is not modelled. The key is -Durr.iam.key, its secret in the file -Durr.iam.secret.file.
 */
public class MskTokenCheck implements AuthenticateCallbackHandler {
    @Override
    public void configure(Map<String, ?> configs, String mechanism, List<AppConfigurationEntry> entries) {}

    @Override
    public void close() {}

    @Override
    public void handle(Callback[] callbacks) throws UnsupportedCallbackException {
        for (Callback callback : callbacks) {
            if (callback instanceof OAuthBearerValidatorCallback) {
                OAuthBearerValidatorCallback asked = (OAuthBearerValidatorCallback) callback;
                try {
                    asked.token(check(asked.tokenValue()));
                } catch (Exception refused) {
                    System.err.println("IAM token refused: " + refused.getMessage());
                    asked.error("invalid_token", null, null);
                }
            } else if (callback instanceof OAuthBearerExtensionsValidatorCallback) {
                OAuthBearerExtensionsValidatorCallback asked = (OAuthBearerExtensionsValidatorCallback) callback;
                asked.inputExtensions().map().keySet().forEach(asked::valid);
            } else {
                throw new UnsupportedCallbackException(callback);
            }
        }
    }

    private static byte[] mac(byte[] key, String text) throws Exception {
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(key, "HmacSHA256"));
        return mac.doFinal(text.getBytes(StandardCharsets.UTF_8));
    }

    private static String hex(byte[] bytes) {
        StringBuilder out = new StringBuilder();
        for (byte b : bytes) out.append(String.format("%02x", b));
        return out.toString();
    }

    private static String sha256(String text) throws Exception {
        return hex(MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
    }

    private static OAuthBearerToken check(String token) throws Exception {
        URI url = new URI(new String(Base64.getUrlDecoder().decode(token), StandardCharsets.UTF_8));
        TreeMap<String, String> signed = new TreeMap<>(); // as sent, without what is not signed
        TreeMap<String, String> query = new TreeMap<>();
        for (String pair : url.getRawQuery().split("&")) {
            int at = pair.indexOf('=');
            String name = pair.substring(0, at);
            if (!name.equals("X-Amz-Signature") && !name.equals("User-Agent")) signed.put(name, pair);
            query.put(name, URLDecoder.decode(pair.substring(at + 1), StandardCharsets.UTF_8));
        }
        if (!"kafka-cluster:Connect".equals(query.get("Action"))) throw new Exception("another action");
        String[] credential = query.get("X-Amz-Credential").split("/");
        if (!System.getProperty("urr.iam.key").equals(credential[0])) throw new Exception("unknown key");
        String secret = Files.readString(Path.of(System.getProperty("urr.iam.secret.file"))).strip();
        String request = "GET\n/\n" + String.join("&", signed.values()) + "\nhost:" + url.getHost()
                + "\n\nhost\n" + sha256("");
        String scope = credential[1] + "/" + credential[2] + "/" + credential[3] + "/aws4_request";
        String text = "AWS4-HMAC-SHA256\n" + query.get("X-Amz-Date") + "\n" + scope + "\n" + sha256(request);
        byte[] key = ("AWS4" + secret).getBytes(StandardCharsets.UTF_8);
        for (int part = 1; part <= 3; part++) key = mac(key, credential[part]);
        String expected = hex(mac(mac(key, "aws4_request"), text));
        if (!MessageDigest.isEqual(expected.getBytes(), query.get("X-Amz-Signature").getBytes()))
            throw new Exception("bad signature");
        long start = LocalDateTime.parse(query.get("X-Amz-Date"), DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'"))
                .toInstant(ZoneOffset.UTC).toEpochMilli();
        long end = start + 1000L * Long.parseLong(query.get("X-Amz-Expires"));
        if (System.currentTimeMillis() > end) throw new Exception("expired");
        return new OAuthBearerToken() {
            @Override
            public String value() {
                return token;
            }

            @Override
            public Set<String> scope() {
                return Collections.emptySet();
            }

            @Override
            public long lifetimeMs() {
                return end;
            }

            @Override
            public String principalName() {
                return credential[0];
            }

            @Override
            public Long startTimeMs() {
                return start;
            }
        };
    }
}
