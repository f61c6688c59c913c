#!/usr/bin/env bash
# kafka.sh DIR PORT [BROKERS=1]      Apache Kafka in KRaft mode (JDK 17); PIDs in DIR/bN.pid
#                                    PORT 0: any that are free; DIR/port tells
# kafka.sh fresh DIR PORT [BROKERS]  the same with nothing from before
# kafka.sh start DIR N               starts broker N again after it was ended (N from 1)
# kafka.sh stop DIR
# kafka.sh topic DIR TOPIC           makes a topic of three partitions
# kafka.sh forget DIR PATTERN        removes the topics, if there are any, whose names match it
# kafka.sh perf DIR TOPIC RECORDS BYTES   Kafka's own measure of producing with acks=all: its last line
#
# Broker N listens on PORT+N-1 in the open, on PORT+19+N by TLS and on PORT+29+N by TLS with SASL: SCRAM
# (urr, password in DIR/scram.password) and OAUTHBEARER, whose tokens are checked as MSK's IAM ones by
# kafka/MskTokenCheck.java (key in DIR/iam.key, secret in DIR/iam.secret). Its CA is DIR/tls/ca.pem.
# With 2 brokers a third node is a controller only, so that the quorum outlives one broker.
# They listen on loopback. Where URR_ENGINES_HOST names another address (a container's, say) nobody is heard
# there without a password: SASL_SSL with SCRAM alone is on it, PLAINTEXT and CONTROLLER stay on loopback, which
# is this machine's or container's own, and there is no listener by TLS without SASL.
# Environment: URR_KAFKA_VERSION (3.6.0), HEAP (128m), MIN_ISR, SASL_PORT (of the first broker; PORT+30).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"

version=${URR_KAFKA_VERSION:-3.6.0}
jars=$engines_cache/kafka-$version
home=127.0.0.1 # where a client needs no password

start_node() { # start_node DIR N
    local dir=$1 n=$2
    (
        cd "$dir/b$n"
        mkdir -p tmp # where libraries are unpacked to
        exec setsid java -Xms64m -Xmx"${HEAP:-128m}" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \
            -XX:-UsePerfData -Djava.io.tmpdir="$PWD/tmp" \
            -Durr.iam.key="$(cat "$dir/iam.key")" -Durr.iam.secret.file="$dir/iam.secret" \
            -Dlog4j.configuration=file:"$dir/log4j.properties" -cp "$jars/*:$jars/classes" \
            kafka.Kafka server.properties >log 2>&1 </dev/null
    ) 8>&- &
    echo $! >"$dir/b$n.pid"
}
# The password goes by a file: everybody on the machine sees the words of a command.
format() { # format NODE_DIR
    local node=$1
    (
        umask 077
        printf '"%s"\n' "-Xmx64m" "-Dlog4j.configuration=file:$dir/log4j.properties" -cp "$jars/*" \
            kafka.tools.StorageTool format -t "$(cat "$dir/cluster.id")" -c "$node/server.properties" \
            --add-scram "SCRAM-SHA-512=[name=urr,password=$(cat "$dir/scram.password")]" >"$node/format.words"
    )
    java @"$node/format.words" >"$node/format.log" 2>&1 || {
        tail -n 5 "$node/format.log" >&2
        die "could not format $node"
    }
    rm "$node/format.words"
}
wait_for_node() { # wait_for_node DIR N
    wait_until 240 "$(cat "$1/b$2.pid")" "$1/b$2/log" grep -q 'Kafka Server started' "$1/b$2/log"
}

case ${1:-} in
stop)
    stop_pids "$2"
    exit 0
    ;;
start)
    dir=$(cd "$2" && pwd)
    start_node "$dir" "$3"
    wait_for_node "$dir" "$3"
    exit 0
    ;;
topic)
    java -Xmx64m -cp "$jars/*" kafka.admin.TopicCommand --create --partitions 3 --topic "$3" \
        --bootstrap-server "$home:$(cat "$2/port")" >/dev/null 2>&1 || die "could not make the topic $3"
    exit 0
    ;;
forget)
    java -Xmx64m -cp "$jars/*" kafka.admin.TopicCommand --delete --if-exists --topic "$3" \
        --bootstrap-server "$home:$(cat "$2/port")" >/dev/null 2>&1 || die "could not remove the topics $3"
    exit 0
    ;;
perf)
    dir=$2 topic=$3
    maven_jars "kafka-tools-$version" "org.apache.kafka:kafka-tools:$version" org.slf4j:slf4j-reload4j:1.7.36
    java -Xmx256m -cp "$jars/*:$engines_cache/kafka-tools-$version/*" org.apache.kafka.tools.ProducerPerformance \
        --topic "$topic" --num-records "$4" --record-size "$5" --throughput -1 \
        --producer-props acks=all bootstrap.servers="$home:$(cat "$dir/port")" 2>"$dir/perf.log" | tail -n 1 || {
        tail -n 5 "$dir/perf.log" >&2
        die "could not measure"
    }
    exit 0
    ;;
fresh)
    shift
    stop_pids "$1"
    rm -rf "$1"
    ;;
esac

[ $# -ge 2 ] || die "usage: kafka.sh DIR PORT [BROKERS]"
mkdir -p "$1"
dir=$(cd "$1" && pwd)
port=$2
brokers=${3:-1}
if [ "$port" = 0 ]; then
    [ -s "$dir/port" ] || free_ports 50 >"$dir/port"
    port=$(cat "$dir/port")
fi
echo "$port" >"$dir/port"
nodes=$((brokers == 2 ? 3 : brokers))
replicas=$((brokers < 3 ? brokers : 3))
min_isr=${MIN_ISR:-$((replicas > 1 ? 2 : 1))}

need java openjdk-17-jdk-headless
need javac openjdk-17-jdk-headless
need openssl openssl
maven_jars "kafka-$version" "org.apache.kafka:kafka_2.13:$version" org.slf4j:slf4j-reload4j:1.7.36
source=$here/kafka/MskTokenCheck.java
if [ "$source" -nt "$jars/classes/MskTokenCheck.class" ]; then
    mkdir -p "$jars/classes"
    javac -cp "$jars/*" -d "$jars/classes" "$source" || die "$source does not compile"
fi

if [ ! -s "$dir/tls/broker.pem" ]; then
    mkdir -p "$dir/tls"
    (
        umask 077
        head -c 18 /dev/urandom | base64 | tr '+/' 'ab' >"$dir/scram.password"
        head -c 30 /dev/urandom | base64 | tr '+/' 'ab' >"$dir/iam.secret"
        echo AKIDURRTEST >"$dir/iam.key"
        cd "$dir/tls"
        openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 3650 -subj /CN=urr-engines \
            -addext basicConstraints=critical,CA:TRUE
        # broker: what a client expects. stranger: the right chain and another name.
        for who in broker:localhost,IP:$host stranger:elsewhere.example; do
            name=${who%%:*}
            openssl req -newkey rsa:2048 -nodes -keyout "$name.key" -out "$name.csr" -subj "/CN=$name"
            openssl x509 -req -in "$name.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 3650 \
                -out "$name.crt" -extfile <(echo "subjectAltName=DNS:${who#*:}")
            openssl pkcs8 -topk8 -nocrypt -in "$name.key" -out "$name.p8"
            cat "$name.p8" "$name.crt" ca.pem >"$name.pem"
        done
        openssl req -x509 -newkey rsa:2048 -nodes -keyout other.key -out other-ca.pem -days 3650 -subj /CN=other
    ) >/dev/null 2>&1
fi
cat >"$dir/log4j.properties" <<'L'
log4j.rootLogger=INFO, stdout
log4j.appender.stdout=org.apache.log4j.ConsoleAppender
log4j.appender.stdout.layout=org.apache.log4j.PatternLayout
log4j.appender.stdout.layout.ConversionPattern=[%d] %p %m (%c)%n
L
voters=
for ((n = 1; n <= nodes; n++)); do voters+="${voters:+,}$n@$home:$((port + 9 + n))"; done
mechanisms=SCRAM-SHA-512
[ "$host" != "$home" ] || mechanisms+=,OAUTHBEARER
[ -s "$dir/cluster.id" ] ||
    java -Xmx64m -cp "$jars/*" kafka.tools.StorageTool random-uuid 2>/dev/null | tail -n 1 >"$dir/cluster.id"

for ((n = 1; n <= nodes; n++)); do
    node=$dir/b$n
    mkdir -p "$node"
    if ((n <= brokers)); then
        roles=broker,controller
        listeners=PLAINTEXT://$home:$((port + n - 1)),CONTROLLER://$home:$((port + 9 + n))
        listeners+=,SASL_SSL://$host:$((${SASL_PORT:-$((port + 30))} + n - 1))
        [ "$host" != "$home" ] ||
            listeners+=,SSL://$home:$((port + 19 + n)),STRANGER://$home:$((port + 39 + n))
        between=inter.broker.listener.name=PLAINTEXT
    else
        roles=controller
        listeners=CONTROLLER://$home:$((port + 9 + n))
        between=
    fi
    cat >"$node/server.properties" <<P
process.roles=$roles
node.id=$n
controller.quorum.voters=$voters
listeners=$listeners
controller.listener.names=CONTROLLER
$between
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SSL:SSL,SASL_SSL:SASL_SSL,STRANGER:SSL
ssl.keystore.type=PEM
ssl.keystore.location=$dir/tls/broker.pem
ssl.truststore.type=PEM
ssl.truststore.location=$dir/tls/ca.pem
listener.name.stranger.ssl.keystore.location=$dir/tls/stranger.pem
sasl.enabled.mechanisms=$mechanisms
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl_ssl.oauthbearer.sasl.jaas.config=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required;
listener.name.sasl_ssl.oauthbearer.sasl.server.callback.handler.class=MskTokenCheck
log.dirs=$node/data
auto.create.topics.enable=false
num.partitions=3
default.replication.factor=$replicas
min.insync.replicas=$min_isr
offsets.topic.replication.factor=$replicas
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=$replicas
transaction.state.log.min.isr=$min_isr
transaction.state.log.num.partitions=4
group.initial.rebalance.delay.ms=0
log.cleaner.dedupe.buffer.size=4194304
P
    [ -e "$node/data/meta.properties" ] || format "$node"
done
for ((n = 1; n <= nodes; n++)); do start_node "$dir" "$n"; done
for ((n = 1; n <= nodes; n++)); do wait_for_node "$dir" "$n"; done
cat "$dir"/b*.pid
