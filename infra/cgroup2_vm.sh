#!/usr/bin/env bash
# Tests the sandboxes with cgroup v2 on a machine with cgroup v1 or without writable cgroups, in an emulated Debian. KVM
# is not used, so tests are ten to twenty times slower. Needs root on x86-64, and the Debian packages qemu-system-x86 and
# debootstrap. The system is built once (minutes, 4 GB), in MONKEYS_VM or /var/tmp/monkeys-vm.
#   infra/cgroup2_vm.sh                                             the tests of cgroups (minutes)
#   infra/cgroup2_vm.sh tests/sandboxes -k "not docker"             with arguments for pytest (here, half an hour)
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '%s\n' "cgroup2_vm: $*" >&2; }
folder=${MONKEYS_VM:-/var/tmp/monkeys-vm}
[ "$(id -u)" -eq 0 ] || { say "needs root"; exit 2; }
for tool in qemu-system-x86_64 debootstrap; do
    command -v "$tool" >/dev/null || { say "$tool is missing: apt-get install qemu-system-x86 debootstrap"; exit 2; }
done

make_system() {
    local root=$folder/root python uv
    rm -rf "$folder" && mkdir -p "$folder"
    debootstrap --variant=minbase --include=systemd-sysv,dbus,libpam-systemd,python3,bubblewrap,linux-image-amd64 \
        bookworm "$root" >"$folder/debootstrap.log"
    # The tests run under Debian's Python 3.11, with the locked packages.
    . infra/uv.sh
    python=$(command -v python3)
    uv=$(find_uv "$python")
    "$uv" export --frozen --quiet --all-groups --no-emit-project --output-file "$folder/requirements.txt" >/dev/null
    "$uv" pip install --quiet --no-deps --python-version 3.11 --python-platform x86_64-manylinux_2_28 \
        --target "$root/usr/local/lib/python3.11/dist-packages" --requirements "$folder/requirements.txt"
    echo "/dev/vda / ext4 rw,noatime 0 1" >"$root/etc/fstab"
    cat >"$root/etc/systemd/system/tests.service" <<'UNIT'
[Unit]
After=multi-user.target
[Service]
Type=oneshot
Delegate=yes
Environment=PYTHONPATH=/checkout HOME=/root
ExecStart=/bin/sh -c "mkdir /checkout && tar -C /checkout -xf /dev/vdb && cd /checkout && exec sh ./in_the_vm"
ExecStopPost=/bin/systemctl poweroff --no-block
StandardOutput=tty
StandardError=tty
TTYPath=/dev/ttyS0
[Install]
WantedBy=default.target
UNIT
    ln -s /etc/systemd/system/tests.service "$root/etc/systemd/system/multi-user.target.wants/tests.service"
    cp "$root"/boot/vmlinuz-* "$folder/vmlinuz"
    cp "$root"/boot/initrd.img-* "$folder/initrd"
    mke2fs -q -t ext4 -d "$root" "$folder/system.img" 4G
    rm -rf "$root"
}

[ -e "$folder/system.img" ] || make_system
[ $# -gt 0 ] || set -- tests/sandboxes/test_cgroup.py
{
    printf 'exec python3 -m pytest -p no:cacheprovider -q --color=no'
    printf ' %q' "$@"
    printf ' && echo "the tests have passed"\n'
} | sed 's/^exec //' >"$folder/in_the_vm"
tar -cf "$folder/checkout.tar" monkeys flows tasks sandboxes tests pyproject.toml -C "$folder" in_the_vm
# A run's changes to the system are discarded.
qemu-system-x86_64 -accel tcg,thread=multi -cpu max -smp 2 -m 3G -nodefaults -no-reboot -display none -snapshot \
    -kernel "$folder/vmlinuz" -initrd "$folder/initrd" -append "root=/dev/vda rw console=ttyS0 quiet systemd.mask=serial-getty@ttyS0.service" \
    -drive "file=$folder/system.img,format=raw,if=virtio" -drive "file=$folder/checkout.tar,format=raw,if=virtio" \
    -device virtio-rng-pci -serial stdio </dev/null | tee "$folder/last.log"
grep -q "^the tests have passed" "$folder/last.log"
