# For scripts that compile for the architecture of an image.

machine() { # an architecture, as Debian or the kernel calls it; prints it as Rust and C compilers do
    case $1 in
    amd64 | x86_64) echo x86_64 ;;
    arm64 | aarch64) echo aarch64 ;;
    *)
        echo "Images are built for amd64 and arm64, not for \"$1\"" >&2
        exit 1
        ;;
    esac
}
