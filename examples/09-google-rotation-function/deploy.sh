#!/usr/bin/env bash
# Deploys the rotation function for one secret of Google Secret Manager. Running it again changes nothing
# but what you changed. Needs: gcloud, signed in as somebody who may administer the project.
set -euo pipefail

: "${PROJECT:?the project\'s id}" "${REGION:?such as europe-west1}" "${SECRET:?the secret to rotate}"
: "${OPENAI_PROJECT:?proj_…}" "${OPENAI_SERVICE_ACCOUNT:?svc_acct_…}"
ADMIN_KEY_SECRET="${ADMIN_KEY_SECRET:-openai-admin-key}" # its latest version is an admin key of OpenAI
PERIOD_DAYS="${PERIOD_DAYS:-30}"
WINDOW="${WINDOW:-1h}" # how long the old key must have been silent; 24h where the Batch API is used
GRACE="${GRACE:-24h}"
REQUESTED_BY="${REQUESTED_BY:-rotation-schedule}"

SERVICE=keyaudit-rotate
TOPIC=keyaudit-rotation
QUEUE=keyaudit-rotation
RUNS="keyaudit-rotate@${PROJECT}.iam.gserviceaccount.com"  # what the function may do
CALLS="keyaudit-caller@${PROJECT}.iam.gserviceaccount.com" # who may call it: Pub/Sub and Cloud Tasks
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"

g() { gcloud --project "$PROJECT" --quiet "$@"; }
exists() { g "$@" >/dev/null 2>&1; }

number="$(gcloud projects describe "$PROJECT" --format 'value(projectNumber)')"
url="https://${SERVICE}-${number}.${REGION}.run.app"

g services enable cloudbuild.googleapis.com cloudtasks.googleapis.com iam.googleapis.com pubsub.googleapis.com \
  run.googleapis.com secretmanager.googleapis.com

# Applications must read the alias `current`: `latest` is a value as soon as it is added, before it was tried.
aliases="$(g secrets describe "$SECRET" --format 'value(versionAliases.current)')"
if [ -z "$aliases" ]; then
  echo "secret $SECRET has no alias 'current'; name the version in use, and have applications read it:" >&2
  echo "  gcloud secrets update $SECRET --update-version-aliases=current=N" >&2
  exit 1
fi

exists iam service-accounts describe "$RUNS" || g iam service-accounts create keyaudit-rotate
exists iam service-accounts describe "$CALLS" || g iam service-accounts create keyaudit-caller

# What the function may do to the secret, and nothing else.
permissions=secretmanager.secrets.get,secretmanager.secrets.update,secretmanager.versions.access,secretmanager.versions.add,secretmanager.versions.disable,secretmanager.versions.list
if exists iam roles describe keyauditRotate; then
  g iam roles update keyauditRotate --permissions "$permissions"
else
  g iam roles create keyauditRotate --title 'Rotate a secret with keyaudit' --permissions "$permissions"
fi
g secrets add-iam-policy-binding "$SECRET" --member "serviceAccount:$RUNS" --role "projects/$PROJECT/roles/keyauditRotate"
g secrets add-iam-policy-binding "$ADMIN_KEY_SECRET" --member "serviceAccount:$RUNS" \
  --role roles/secretmanager.secretAccessor

# The alarm clock, and who it calls as.
exists tasks queues describe "$QUEUE" --location "$REGION" ||
  g tasks queues create "$QUEUE" --location "$REGION" --max-attempts -1 --min-backoff 60s --max-backoff 3600s
g tasks queues add-iam-policy-binding "$QUEUE" --location "$REGION" --member "serviceAccount:$RUNS" \
  --role roles/cloudtasks.enqueuer
g iam service-accounts add-iam-policy-binding "$CALLS" --member "serviceAccount:$RUNS" \
  --role roles/iam.serviceAccountUser

# The function. Its settings hold no secret; the admin key is a file that is read when it is needed.
settings="$(mktemp)"
trap 'rm -f "$settings"' EXIT
cat >"$settings" <<YAML
KEYAUDIT_KEYS: /run/keys
KEYAUDIT_REQUEST: "{requested_by: '${REQUESTED_BY}'}"
KEYAUDIT_TASKS: |
  queue: projects/${PROJECT}/locations/${REGION}/queues/${QUEUE}
  url: ${url}
  service_account: ${CALLS}
KEYAUDIT_ROTATION: |
  name: openai-prod
  window: ${WINDOW}
  grace_period: ${GRACE}
  store: {kind: gcp-secret-manager, project: ${PROJECT}, secret: ${SECRET}}
  issuer: {kind: openai, project: ${OPENAI_PROJECT}, service_account: ${OPENAI_SERVICE_ACCOUNT}}
  probe: {kind: openai}
  silence: {kind: openai, project: ${OPENAI_PROJECT}}
YAML
g run deploy "$SERVICE" --region "$REGION" --source "$here/function" --function rotate --base-image python313 \
  --no-allow-unauthenticated --service-account "$RUNS" --env-vars-file "$settings" \
  --set-secrets "/run/keys/OPENAI_ADMIN_KEY=${ADMIN_KEY_SECRET}:latest" \
  --timeout 300 --concurrency 1 --max-instances 2 --memory 512Mi
g run services add-iam-policy-binding "$SERVICE" --region "$REGION" --member "serviceAccount:$CALLS" \
  --role roles/run.invoker

# The reminder: Secret Manager tells the topic, the topic pushes to the function.
exists pubsub topics describe "$TOPIC" || g pubsub topics create "$TOPIC"
agent="$(gcloud beta services identity create --project "$PROJECT" --service secretmanager.googleapis.com --format 'value(email)')"
g pubsub topics add-iam-policy-binding "$TOPIC" --member "serviceAccount:$agent" --role roles/pubsub.publisher
exists pubsub subscriptions describe "$TOPIC" ||
  g pubsub subscriptions create "$TOPIC" --topic "$TOPIC" --push-endpoint "$url" \
    --push-auth-service-account "$CALLS" --push-auth-token-audience "$url" \
    --message-filter 'attributes.eventType = "SECRET_ROTATE"' \
    --ack-deadline 330 --min-retry-delay 60s --max-retry-delay 600s --message-retention-duration 7d
g secrets update "$SECRET" --add-topics "projects/${PROJECT}/topics/${TOPIC}" \
  --rotation-period "$((PERIOD_DAYS * 86400))s" --next-rotation-time "$(date -u -d "+${PERIOD_DAYS} days" +%Y-%m-%dT%H:%M:%SZ)"

echo "deployed: $url"
