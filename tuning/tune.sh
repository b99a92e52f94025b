#!/usr/bin/env bash
# Brings a Linux host to the settings in 99-rawpush.conf, and installs what keeps them there. Never lowers a limit that is already larger.
set -u
export LC_ALL=C  # digits are compared as strings, and the order of strings must not depend on the locale

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
settings=$here/99-rawpush.conf

dry_run=false
install=false
root=

changed=0
already=0
skipped=0

usage() {
  cat <<'USAGE'
Usage: tune.sh [--dry-run] [--install] [--root DIR]

Sets the kernel knobs of 99-rawpush.conf now, and prints each one before and after.

  --dry-run   Say what would change; change nothing. Needs no root.
  --install   Also install the files that survive a reboot: the sysctl file, limits.d,
              the systemd unit and its user. Nothing is started.
  --root DIR  Use DIR/proc/sys and DIR/etc instead of the machine's own.
  --help      Show this text.
USAGE
}

# fail STATUS SENTENCE
fail() {
  echo "tune.sh: $2" >&2
  exit "$1"
}

# Limits such as file-max reach 2^64-1, which bash arithmetic cannot hold: the longer number is larger, and equal lengths compare as strings.
at_least() {
  if ((${#1} != ${#2})); then
    ((${#1} > ${#2}))
  else
    [[ ! $1 < $2 ]]
  fi
}

larger() { if at_least "$1" "$2"; then echo "$1"; else echo "$2"; fi; }
smaller() { if at_least "$1" "$2"; then echo "$2"; else echo "$1"; fi; }

# Turns the kernel's tabs into single spaces, so that values compare.
squeeze() {
  local words
  read -ra words <<<"$1"
  echo "${words[*]}"
}

# best KEY CURRENT WANTED: the value to end up with. It is CURRENT when that is at least as good.
best() {
  local current_low current_high wanted_low wanted_high
  case $1 in
    fs.nr_open | fs.file-max | net.core.somaxconn | net.core.netdev_max_backlog | net.ipv4.tcp_max_syn_backlog | \
      net.ipv4.tcp_max_orphans | net.netfilter.nf_conntrack_max)
      larger "$2" "$3"
      ;;
    net.ipv4.tcp_fin_timeout | net.ipv4.tcp_keepalive_*)
      smaller "$2" "$3"
      ;;
    net.ipv4.ip_local_port_range)
      read -r current_low current_high <<<"$2"
      read -r wanted_low wanted_high <<<"$3"
      echo "$(smaller "$current_low" "$wanted_low") $(larger "$current_high" "$wanted_high")"
      ;;
    *)
      # Buffer sizes and switches: neither larger nor smaller is better, so the file decides.
      echo "$3"
      ;;
  esac
}

skip() {
  echo "skipped  $1: $2"
  skipped=$((skipped + 1))
}

keep() {
  echo "already  $1"
  already=$((already + 1))
}

change() {
  if $dry_run; then
    echo "would    $1"
  else
    echo "changed  $1"
  fi

  changed=$((changed + 1))
}

# tune KEY WANTED: sets one knob, and leaves in $target the value that the installed file should carry.
tune() {
  local key=$1 file before after
  target=$2
  file=$root/proc/sys/${key//.//}
  if [[ ! -e $file ]]; then
    skip "$key" "this kernel or container does not have it."
    return
  fi

  if ! before=$(cat -- "$file" 2>/dev/null); then
    skip "$key" "it cannot be read here."
    return
  fi

  before=$(squeeze "$before")
  target=$(best "$key" "$before" "$2")
  if [[ $before == "$target" ]]; then
    keep "$key = $before"
    return
  fi

  # An ordinary user's dry run may not write anything, and so cannot tell what root could.
  if $may_write && [[ ! -w $file ]]; then
    skip "$key" "it is $before and cannot be written here; a container's host has to set it."
    return
  fi

  if $dry_run; then
    change "$key: $before -> $target"
    return
  fi

  # Read back, because a sandbox may accept a write and ignore it.
  if { printf '%s\n' "$target" >"$file"; } 2>/dev/null && after=$(squeeze "$(cat -- "$file")") && [[ $after == "$target" ]]; then
    change "$key: $before -> $after"
  else
    skip "$key" "the kernel kept $before and refused $target."
  fi
}

# install_file TEXT TARGET: writes TEXT to TARGET, which appears whole or not at all.
install_file() {
  local text=$1 target=$2 folder temporary
  folder=$(dirname -- "$target")
  if [[ -f $target && $(cat -- "$target" 2>/dev/null) == "$text" ]]; then
    keep "$target"
    return
  fi

  if $dry_run; then
    change "$target: install"
    return
  fi

  if mkdir -p -- "$folder" 2>/dev/null && temporary=$(mktemp -- "$target.XXXXXX" 2>/dev/null); then
    if { printf '%s\n' "$text" >"$temporary"; } 2>/dev/null && chmod 644 -- "$temporary" && mv -f -- "$temporary" "$target"; then
      change "$target: installed"
      return
    fi

    rm -f -- "$temporary"
  fi

  skip "$target" "it cannot be written here."
}

while (($# > 0)); do
  case $1 in
    --dry-run) dry_run=true ;;
    --install) install=true ;;
    --root)
      (($# > 1)) || fail 2 "--root needs a folder; see --help."
      [[ -n $2 && -d $2 ]] || fail 2 "--root: '$2' is not a folder."
      root=${2%/}
      shift
      ;;
    --help | -h)
      usage
      exit 0
      ;;
    *) fail 2 "unknown option '$1'; see --help." ;;
  esac
  shift
done

[[ -r $settings ]] || fail 1 "$settings is missing; keep tune.sh beside the files that it installs."

# With --root, the permissions of that folder decide.
may_write=true
if [[ -z $root ]] && ((EUID != 0)); then
  $dry_run || fail 1 "needs root (or --dry-run to only look)."
  may_write=false
fi

# The installed copy carries what the machine ended up with: the file as it stands would, at the next boot, lower limits that are larger today.
installed_settings=
while IFS= read -r line || [[ -n $line ]]; do
  if [[ $line =~ ^(-?)([a-z][A-Za-z0-9_.-]*)[[:space:]]*=[[:space:]]*(.*[^[:space:]])[[:space:]]*$ ]]; then
    dash=${BASH_REMATCH[1]} key=${BASH_REMATCH[2]}
    tune "$key" "${BASH_REMATCH[3]}"
    line="$dash$key = $target"
  fi

  installed_settings+=$line$'\n'
done <"$settings"

if $install; then
  install_file "${installed_settings%$'\n'}" "$root/etc/sysctl.d/99-rawpush.conf"
  install_file "$(cat -- "$here/limits.d/rawpush.conf")" "$root/etc/security/limits.d/rawpush.conf"
  install_file "$(cat -- "$here/rawpush.sysusers.conf")" "$root/etc/sysusers.d/rawpush.conf"
  install_file "$(cat -- "$here/rawpush.service")" "$root/etc/systemd/system/rawpush.service"
  $dry_run || echo "Next: systemd-sysusers && systemctl daemon-reload && systemctl enable --now rawpush"
fi

if $dry_run; then
  echo "$changed would change, $already already right, $skipped skipped"
else
  echo "$changed changed, $already already right, $skipped skipped"
fi
