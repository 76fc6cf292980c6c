#!/bin/sh
# Makes the topic of reports and says who may do what with it: each sensor may write it, collectors may read it, nobody
# else anything. It may be called again at any time, as for one more sensor: SENSORS="sensor-4" ...
set -eu
broker=${BROKER:-kafka:9092}
commands=${COMMANDS:-/opt/kafka/bin}
settings=${SETTINGS:-/etc/kafka/admin.properties}
topic=${TOPIC:-minewatch.reports.v1}

"$commands/kafka-topics.sh" --bootstrap-server "$broker" --command-config "$settings" --create --if-not-exists \
    --topic "$topic" --partitions "${PARTITIONS:-8}" --replication-factor "${REPLICAS:-1}"
for sensor in ${SENSORS:-sensor-1 sensor-2 sensor-3}; do
    "$commands/kafka-acls.sh" --bootstrap-server "$broker" --command-config "$settings" --add \
        --allow-principal "User:$sensor" --operation Write --operation Describe --topic "$topic"
done
"$commands/kafka-acls.sh" --bootstrap-server "$broker" --command-config "$settings" --add \
    --allow-principal User:collector --operation Read --operation Describe --topic "$topic" \
    --group "${GROUP:-minewatch-collect}"
