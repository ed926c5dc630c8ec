# Shell functions of the guide, for bash and zsh. They need API_URL, API_KEY and TWIN_URL: eval "$(make -s env)"
# They print what the API answers, and hide nothing: a refusal is a JSON object with "status" and "detail".

# zsh takes comments at a prompt only if it is told to.
[ -z "${ZSH_VERSION:-}" ] || setopt interactive_comments

# api METHOD PATH [curl's options …]: one request with the key; the path goes behind /v1/.
api() {
  _method=$1 _path=$2
  shift 2
  curl -sS -X "$_method" "$API_URL/v1/$_path" -H "Authorization: Bearer $API_KEY" -H 'Content-Type: application/json' "$@"
  echo
}
get() { api GET "$1"; }
post() { api POST "$1" -d "${2:-}"; }
put() { api PUT "$1" -d "$2"; }
patch() { api PATCH "$1" -d "$2"; }

# text FROM WORDS: a customer's phone texts the number that the business sends from. Prints what the phone gets back.
text() {
  _to=$(get business | field text_from)
  curl -sS "$TWIN_URL/inbound" -d '{"from": "'"$1"'", "to": "'"$_to"'", "body": "'"$2"'"}'
  echo
}

# … | field NAME: the first value of that name in a JSON document that is a text.
field() { grep -o "\"$1\": *\"[^\"]*\"" | head -n 1 | cut -d '"' -f 4; }

# wait_for WORDS COMMAND …: run the command until it prints these words, for a minute at most; then show what it printed.
wait_for() {
  _words=$1
  shift
  for _try in $(seq 120); do
    _seen=$("$@")
    case $_seen in
      *"$_words"*)
        printf '%s\n' "$_seen"
        return 0
        ;;
    esac
    sleep 0.5
  done
  printf '%s\nNot seen within a minute: %s\n' "$_seen" "$_words" >&2
  return 1
}
