#!/bin/sh
# Installs on a Debian-like machine what test/cluster needs and does not find. May be run any number of times.
# --check only says what it would install (exit code 1 when that is anything).
set -eu

go_version=1.26.8
oldest_go_minor=24
go_home=/usr/local/lib/go-$go_version

only_check=no
[ "${1:-}" != --check ] || only_check=yes
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
as_root=
[ "$(id -u)" -eq 0 ] || as_root=sudo

packages=
need() { # need PACKAGE COMMAND...
  package=$1
  shift
  for command in "$@"; do
    command -v "$command" >/dev/null || { packages="$packages $package"; return; }
  done
}
need util-linux setpriv flock nsenter unshare
need mount mount
need iproute2 ip
need containerd containerd ctr containerd-shim-runc-v2
need runc runc
need iptables iptables
need conntrack conntrack
need busybox-static busybox
need tar tar
need unzip unzip
need ca-certificates update-ca-certificates
[ -x /usr/lib/cni/ptp ] || [ -x /opt/cni/bin/ptp ] || [ -x /usr/libexec/cni/ptp ] ||
  packages="$packages containernetworking-plugins"

go_minor() { # of the go found first; 0 without one
  version=$(GOTOOLCHAIN=local go version 2>/dev/null) || { echo 0; return; }
  echo "$version" | sed -E 's/^go version go1\.([0-9]+).*/\1/'
}
wants_go=no
[ "$(go_minor)" -ge "$oldest_go_minor" ] || wants_go=yes

if [ -z "$packages" ] && [ $wants_go = no ]; then
  echo 'test/cluster has all it needs'
  exit 0
fi
if [ $only_check = yes ]; then
  echo "missing packages:${packages:- none}; Go $go_version: $([ $wants_go = yes ] && echo missing || echo there)"
  exit 1
fi

[ $wants_go = no ] || command -v go >/dev/null || packages="$packages golang-go"
if [ -n "$packages" ]; then
  echo "installing:$packages"
  export DEBIAN_FRONTEND=noninteractive
  $as_root apt-get update -q
  # shellcheck disable=SC2086 # a list of words
  $as_root apt-get install -q -y --no-install-recommends $packages
fi

# The distribution's Go is old as a rule. Any Go can fetch a newer one as a module, checked against the checksum
# database; a module's files have no execute permission and are read-only.
if [ "$(go_minor)" -lt "$oldest_go_minor" ]; then
  case $(uname -m) in
    x86_64) architecture=amd64 ;;
    aarch64) architecture=arm64 ;;
    *) echo "no Go for $(uname -m) is known here; install Go 1.$oldest_go_minor or later" >&2; exit 1 ;;
  esac
  echo "installing: Go $go_version to $go_home"
  work=$(mktemp -d)
  trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
  module=golang.org/toolchain@v0.0.1-go$go_version.linux-$architecture
  (cd "$work" && GOFLAGS=-modcacherw GOMODCACHE="$work/modules" GOPATH="$work" GOTOOLCHAIN=local go mod download "$module")
  chmod -R u+w "$work/modules/$module"
  chmod 755 "$work/modules/$module"/bin/* "$work/modules/$module"/pkg/tool/*/*
  $as_root rm -rf "$go_home"
  $as_root mkdir -p "$(dirname "$go_home")"
  $as_root mv "$work/modules/$module" "$go_home"
  $as_root ln -sf "$go_home/bin/go" /usr/local/bin/go
fi
if [ "$(go_minor)" -lt "$oldest_go_minor" ]; then
  echo "the go found first is still $(command -v go); put /usr/local/bin before it on the PATH" >&2
  exit 1
fi
go version
