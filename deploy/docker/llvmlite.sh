#!/bin/sh
# llvmlite.sh FOLDER: builds libllvmlite.so into FOLDER, the version that constraints.txt names, on
# Debian's static LLVM of the version that it asks for, with the code generator of this processor
# only. The wheel's has those of twenty other processors in it, three quarters of its size.
set -eu
out=$1
version=$(sed -n 's/^llvmlite==//p' constraints.txt)
case $(dpkg --print-architecture) in
  amd64) target=X86 ;;
  arm64) target=AArch64 ;;
  *) echo "llvmlite.sh: no recipe for $(dpkg --print-architecture)" >&2; exit 1 ;;
esac
work=$(mktemp -d)
cd "$work"
python3 -m venv tools
tools/bin/pip download --quiet --no-cache-dir --disable-pip-version-check --no-deps \
    --no-binary llvmlite "llvmlite==$version"
tar --strip-components=1 -xzf "llvmlite-$version.tar.gz"
major=$(sed -n 's/^set(LLVMLITE_SUPPORTED_LLVM_VERSION_DEFAULT \([0-9]*\)).*/\1/p' ffi/CMakeLists.txt)
# Headers and static libraries are all that is needed of this package; what it depends on is not.
apt-get -o APT::Sandbox::User=root download -qq "llvm-$major-dev"
dpkg -x llvm-"$major"-dev_*.deb llvm
mkdir -p only/llvm/Config "$out"
echo "LLVM_TARGET($target)" > only/llvm/Config/Targets.def
for part in AsmPrinter AsmParser Disassembler; do
  macro=$(echo "$part" | sed 's/\([a-z]\)\([A-Z]\)/\1_\2/g' | tr '[:lower:]' '[:upper:]')
  echo "LLVM_$macro($target)" > "only/llvm/Config/${part}s.def"
done
for source in ffi/*.cpp; do
  g++ -std=c++17 -O2 -fPIC -fvisibility=hidden -ffunction-sections -w -DNDEBUG -D_GNU_SOURCE \
      -D__STDC_CONSTANT_MACROS -D__STDC_FORMAT_MACROS -D__STDC_LIMIT_MACROS \
      -DLLVMLITE_CXX_STATIC_LINK=1 -DLLVMLITE_LLVM_ASSERTIONS_STATE=0 \
      -iquote only -I only -I "llvm/usr/include/llvm-$major" -I "llvm/usr/include/llvm-c-$major" \
      -c "$source" -o "$source.o"
done
# Every library is offered, and the linker takes what is called; bitcode tools and JITLink of other
# processors are not.
libraries=$(ls llvm/usr/lib/llvm-"$major"/lib/libLLVM*.a)
g++ -shared -static-libstdc++ -static-libgcc -o "$out/libllvmlite.so" ffi/*.cpp.o \
    -Wl,--start-group $libraries -Wl,--end-group \
    -Wl,--gc-sections -Wl,--exclude-libs,ALL -Wl,-Bsymbolic -Wl,--no-undefined -Wl,--as-needed \
    -Wl,--strip-all -lz -lzstd -lpthread -ldl
cp LICENSE "$out/"
cd /
rm -rf "$work"
