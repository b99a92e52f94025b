#!/usr/bin/env bash
# Tests of tuning/: tune.sh against a made-up /proc/sys in a temporary folder, and the promises that the files make.
# The machine's own settings are never touched. Usage: tests/tuning/tune_test.sh
set -u
export LC_ALL=C

source_folder=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../../tuning" && pwd) || exit 1
work=$(mktemp -d) || exit 1
trap 'rm -rf -- "$work"' EXIT

# Root may write a read-only file, which would hide what happens to a knob that refuses. So the script under test runs as nobody, from a copy which that user may read.
unprivileged=()
if ((EUID == 0)); then
  unprivileged=(setpriv --reuid=65534 --regid=65534 --clear-groups)
fi

cp -R -- "$source_folder" "$work/tuning"
chmod -R a+rX "$work"

passed=0
failed=0
output=
status=0

# check NAME COMMAND...: one case, decided by the command's exit status.
check() {
  local name=$1
  shift
  if "$@" >/dev/null 2>&1; then
    echo "ok    $name"
    passed=$((passed + 1))
  else
    echo "FAIL  $name"
    [[ -z $output ]] || printf '      | %s\n' "${output//$'\n'/$'\n'      | }"
    failed=$((failed + 1))
  fi
}

# The kernel's defaults on an ordinary machine: every knob has something to do.
fresh_root() {
  rm -rf -- "$work/root"
  mkdir -p "$work/root/etc" "$work/root/proc/sys/"{fs,net/core,net/ipv4,net/netfilter}
  knob fs.nr_open 524288
  knob fs.file-max 100000
  knob net.core.somaxconn 4096
  knob net.core.netdev_max_backlog 1000
  knob net.ipv4.tcp_max_syn_backlog 2048
  knob net.ipv4.ip_local_port_range $'32768\t60999'
  knob net.ipv4.tcp_rmem $'4096\t131072\t6291456'
  knob net.ipv4.tcp_wmem $'4096\t16384\t4194304'
  knob net.ipv4.tcp_fin_timeout 60
  knob net.ipv4.tcp_max_orphans 131072
  knob net.ipv4.tcp_keepalive_time 7200
  knob net.ipv4.tcp_keepalive_intvl 75
  knob net.ipv4.tcp_keepalive_probes 9
  knob net.ipv4.tcp_slow_start_after_idle 1
  knob net.netfilter.nf_conntrack_max 262144
  ((EUID != 0)) || chown -R 65534:65534 "$work/root"
}

knob_file() { echo "$work/root/proc/sys/${1//.//}"; }
knob() { printf '%s\n' "$2" >"$(knob_file "$1")"; }
is() { [[ $(cat -- "$(knob_file "$1")") == "$2" ]]; }
says() { grep -qE -- "$1" <<<"$output"; }
ends_with() { [[ $(tail -n 1 <<<"$output") =~ ^$1$ ]]; }
status_is() { ((status == $1)); }
fingerprint() { (cd "$work/root" && find . -type f -exec md5sum {} + | sort -k 2 && find . | sort); }

tune() {
  output=$("${unprivileged[@]}" "$work/tuning/tune.sh" "$@" 2>&1)
  status=$?
}

knobs=$(grep -cE '^-?[a-z].*=' "$source_folder/99-rawpush.conf")

# --- A dry run ---------------------------------------------------------------------------------------------------------------------------

fresh_root
before=$(fingerprint)
tune --root "$work/root" --dry-run --install
check "dry run succeeds" status_is 0
check "dry run leaves every file as it was" test "$before" == "$(fingerprint)"
check "dry run names before and after" says '^would +net\.core\.somaxconn: 4096 -> 32768$'
check "dry run counts every knob and the four files" ends_with "$((knobs + 4)) would change, 0 already right, 0 skipped"

# --- A run, and another ------------------------------------------------------------------------------------------------------------------

fresh_root
tune --root "$work/root"
check "a run succeeds" status_is 0
check "a run raises somaxconn" is net.core.somaxconn 32768
check "a run prints before and after" says '^changed +net\.core\.somaxconn: 4096 -> 32768$'
check "a run lowers the FIN timeout" is net.ipv4.tcp_fin_timeout 20
check "a run sets a value of three numbers" is net.ipv4.tcp_rmem "4096 32768 4194304"
check "a run raises conntrack, whose line starts with a dash" is net.netfilter.nf_conntrack_max 524288
check "a run changes every knob" ends_with "$knobs changed, 0 already right, 0 skipped"
check "without --install nothing is installed" test -z "$(ls -A "$work/root/etc")"

tune --root "$work/root"
check "the second run changes nothing" ends_with "0 changed, $knobs already right, 0 skipped"
check "the second run says so per knob" says '^already +net\.core\.somaxconn = 32768$'

# --- Values that are better already ------------------------------------------------------------------------------------------------------

fresh_root
knob net.core.somaxconn 65535
knob fs.nr_open 1073741816
knob fs.file-max 18446744073709551615
knob net.ipv4.tcp_keepalive_time 60
knob net.ipv4.ip_local_port_range $'1024\t60999'
tune --root "$work/root" --install
check "never lowers somaxconn" is net.core.somaxconn 65535
check "never lowers nr_open" is fs.nr_open 1073741816
check "never lowers a file-max that overflows 63 bits" is fs.file-max 18446744073709551615
check "never raises a shorter keepalive" is net.ipv4.tcp_keepalive_time 60
check "never narrows the port range" is net.ipv4.ip_local_port_range "1024 65535"
check "the installed sysctl file does not lower them at the next boot either" \
  grep -qx 'fs.nr_open = 1073741816' "$work/root/etc/sysctl.d/99-rawpush.conf"

# --- Knobs that are missing or refuse ----------------------------------------------------------------------------------------------------

fresh_root
rm -- "$(knob_file net.netfilter.nf_conntrack_max)"
chmod 444 "$(knob_file net.core.netdev_max_backlog)"
tune --root "$work/root"
check "a missing knob is skipped with a sentence" says '^skipped +net\.netfilter\.nf_conntrack_max: .*does not have it\.$'
check "a missing knob is not created" test ! -e "$(knob_file net.netfilter.nf_conntrack_max)"
check "an unwritable knob is skipped with a sentence" says '^skipped +net\.core\.netdev_max_backlog: .*cannot be written'
check "an unwritable knob keeps its value" is net.core.netdev_max_backlog 1000
check "the knobs after them are still set" is net.ipv4.tcp_slow_start_after_idle 0
check "skipping is not failing" status_is 0
check "the summary counts what was skipped" ends_with "$((knobs - 2)) changed, 0 already right, 2 skipped"

# /dev/null takes a write and forgets it, as some sandboxes do.
fresh_root
ln -sf /dev/null "$(knob_file net.core.somaxconn)"
tune --root "$work/root"
check "a knob that ignores the write is not reported as changed" says '^skipped +net\.core\.somaxconn: .*refused 32768\.$'

# --- Installing --------------------------------------------------------------------------------------------------------------------------

fresh_root
tune --root "$work/root" --install
check "installs the sysctl file as it is" cmp "$source_folder/99-rawpush.conf" "$work/root/etc/sysctl.d/99-rawpush.conf"
check "installs the limits" cmp "$source_folder/limits.d/rawpush.conf" "$work/root/etc/security/limits.d/rawpush.conf"
check "installs the user" cmp "$source_folder/rawpush.sysusers.conf" "$work/root/etc/sysusers.d/rawpush.conf"
check "installs the unit" cmp "$source_folder/rawpush.service" "$work/root/etc/systemd/system/rawpush.service"
check "installed files are readable by all" test "$(stat -c %a "$work/root/etc/systemd/system/rawpush.service")" == 644
check "no temporary file stays behind" test "$(find "$work/root/etc" -type f | wc -l)" -eq 4

tune --root "$work/root" --install
check "installing twice changes nothing" ends_with "0 changed, $((knobs + 4)) already right, 0 skipped"

fresh_root
chmod 555 "$work/root/etc"
tune --root "$work/root" --install
check "a folder that cannot be written is skipped" ends_with "$knobs changed, 0 already right, 4 skipped"
chmod 755 "$work/root/etc"

# --- The command line --------------------------------------------------------------------------------------------------------------------

fresh_root
before=$(fingerprint)
tune --root "$work/root" --fast
check "an unknown option ends with 2" status_is 2
check "an unknown option is named" says "unknown option '--fast'"
check "an unknown option changes nothing" test "$before" == "$(fingerprint)"

tune --root
check "--root without a folder ends with 2" status_is 2

tune --root "$work/nowhere"
check "--root with a folder that is not there ends with 2" status_is 2

tune --help
check "--help succeeds" status_is 0
for option in --dry-run --install --root --help; do
  check "--help explains $option" says "^ +$option"
done

# As nobody, this cannot change the machine even if the check were broken.
tune
check "an ordinary user is told that it needs root" test "$status:$output" == "1:tune.sh: needs root (or --dry-run to only look)."

tune --dry-run
check "an ordinary user may look" status_is 0

# --- The files ---------------------------------------------------------------------------------------------------------------------------

output=

# every_setting_explained FILE PATTERN: each line that matches PATTERN comes straight after a comment. A file without any is an error, too.
every_setting_explained() {
  awk -v pattern="$2" '
    $0 ~ pattern { settings++; if (previous !~ /^# [A-Z0-9\/]/) { print "no comment: " $0; bare++ } }
    { previous = $0 }
    END { exit !(settings > 0 && bare == 0) }' "$1"
}

check "every sysctl has a reason" every_setting_explained "$source_folder/99-rawpush.conf" '^-?[a-z].*='
check "every limit has a reason" every_setting_explained "$source_folder/limits.d/rawpush.conf" '^[a-z@*]'

for key in fs.nr_open fs.file-max net.core.somaxconn net.ipv4.tcp_max_syn_backlog net.core.netdev_max_backlog \
  net.ipv4.ip_local_port_range net.ipv4.tcp_rmem net.ipv4.tcp_wmem net.ipv4.tcp_slow_start_after_idle; do
  check "the sysctl file sets $key" grep -qE "^${key//./\\.} = [0-9]" "$source_folder/99-rawpush.conf"
done

unit=$source_folder/rawpush.service
for line in Type=notify NotifyAccess=main ExecStart=/opt/rawpush/RawPush.Server User=rawpush LimitNOFILE=1048576 Restart=always \
  KillSignal=SIGTERM EnvironmentFile=-/etc/rawpush/rawpush.env NoNewPrivileges=yes ProtectSystem=strict PrivateTmp=yes \
  WantedBy=multi-user.target; do
  check "the unit has $line" grep -qxF -- "$line" "$unit"
done

for key in RestartSec StartLimitIntervalSec StartLimitBurst TimeoutStopSec TasksMax OOMScoreAdjust; do
  check "the unit sets $key to a number" grep -qE "^$key=-?[0-9]+$" "$unit"
done

lets_the_jit_work() { ! grep -qE '^MemoryDenyWriteExecute=' "$1"; }
check "the unit lets the JIT work" lets_the_jit_work "$unit"

# ExecStart needs no reason, and Group shares the one of User above it.
check "every knob of the service has a reason" every_setting_explained <(sed -n '/^\[Service\]/,/^\[Install\]/p' "$unit" |
  grep -vE '^(ExecStart|Group)=') '^[A-Z][A-Za-z]*='

limit_fits() {
  local nofile nr_open
  nofile=$(sed -n 's/^LimitNOFILE=//p' "$unit")
  nr_open=$(sed -n 's/^fs\.nr_open = //p' "$source_folder/99-rawpush.conf")
  ((nofile > 0 && nofile <= nr_open))
}
check "LimitNOFILE fits in fs.nr_open" limit_fits
check "the user of the unit is the one that sysusers makes" grep -qE '^u rawpush ' "$source_folder/rawpush.sysusers.conf"

echo "$passed passed, $failed failed"
((failed == 0))
