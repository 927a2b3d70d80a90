#!/usr/bin/env bash
# What is to be measured on a GPU, in two calls of 270 seconds each; see docs/gpu.md.
#   gpu-run.sh pack FOLDER DATA   fills FOLDER with jars and data, to be carried to a machine without Maven or network
#   gpu-run.sh A|B [small]
# A: doctor, agreement with the CPU, 16-bit networks, the L-BFGS direction against a copy.
# B: compare against Adam at three rates, and the same networks in PyTorch.
# Each step has a time limit of its own, and when it ends its output is in OUT/results-A.tar.gz, so that a cut loses one
# step. A step that fails does not stop the next, and the exit code is 1 then. "small" rehearses where there is no GPU.
#   CP     class path (default: what lies in app/ beside this script, else what "mvn package" built)
#   JAVA   the java command        JOPT   options for it        PYTHON  a python3 that has PyTorch
#   OUT    folder for results      LIMIT  seconds for the call  SECONDS_PER_RUN  of training, in call B
# Where bundle.tar.xz and on-device.sh lie beside this script, Java and DL4J come from that bundle.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/.." && pwd)

if [[ ${1:-} == pack ]]; then
    target=${2:?a folder to fill} data=${3:?the folder with all of Fashion-MNIST}
    lib=$here/target/lib classes=$(mktemp -d) app=$(mktemp -d)
    mkdir -p "$target/data/fashion-mnist"
    # One jar of all classes, without compression within it, takes two thirds of the room of the jars.
    for jar in "$here/target/dl4j-fuse.jar" "$lib"/dl4j-fuse-*.jar \
        "$lib"/{commons-compress,commons-csv,ejml-core,ejml-ddense}-*.jar \
        "$lib"/{commons-numbers,commons-rng,commons-statistics}-*.jar \
        "$lib"/{jackson-annotations,jackson-core,jackson-databind,jmustache,picocli,progressbar}-*.jar \
        "$here/target/test-lib/"{assertj,junit,opentest4j}*.jar; do
        unzip -qo "$jar" -d "$classes" -x 'META-INF/versions/*' '*/fashion-mnist-subset/*' 'logback*.xml' 2> /dev/null
    done
    cp -r "$root/dl4j-fuse-core/target/test-classes/." "$classes"
    (cd "$classes" && zip -0qr "$app/all.jar" .)
    tar -C "$app" -c all.jar | xz -9e > "$target/app.tar.xz"
    rm -r "$classes" "$app"
    cp "$here/gpu-run.sh" "$here/gpu_peer.py" "$target/"
    java -cp "$here/target/dl4j-fuse.jar" io.github.dl4jfuse.datasets.FashionMnistSubset \
        "$data" "$target/data/fashion-mnist" part
    exit $?
fi

part=${1:?pack, A or B} size=${2:-full}
java=${JAVA:-java} out=${OUT:-dl4j-fuse-report/gpu} jopt=${JOPT:-} python=${PYTHON:-python3}
seconds=${SECONDS_PER_RUN:-5}
work=$(mktemp -d "${TMPDIR:-/tmp}/gpu-run.XXXXXX")
mkdir -p "$out" "$work/$part" "$work/target"
out=$(cd "$out" && pwd)
end=$((SECONDS + ${LIMIT:-270}))
failed=0
if [[ -f $here/app.tar.xz ]]; then
    mkdir -p "$here/app"
    [[ -f $here/app/all.jar ]] || xz -dc "$here/app.tar.xz" | tar -C "$here/app" -x
    cp=${CP:-$here/app/*}
    export DL4J_FUSE_DATA=${DL4J_FUSE_DATA:-$here/data}
else
    cp=${CP:-$here/target/dl4j-fuse.jar:$root/dl4j-fuse-core/target/test-classes:$here/target/test-lib/*}
fi
bundled() { [[ -f $here/bundle.tar.xz && -f $here/on-device.sh ]]; }
# on-device.sh starts Java by itself; in parallel steps each needs a log of its own, so OUT is that step's folder there.
export DL4J_FUSE_LAUNCHER=off DL4J_HOME=${DL4J_HOME:-${TMPDIR:-/tmp}/dl4j}

# keep: packs what there is. Called after every step.
keep() {
    (
        flock 9
        tar -C "$work" -czf "$out/.new.tar.gz" "$part" && mv "$out/.new.tar.gz" "$out/results-$part.tar.gz"
    ) 9> "$work/lock"
}

# step NAME LIMIT COMMAND..: runs a command with a time limit, at most until the call's own.
step() {
    local name=$1 limit=$2 left=$((end - SECONDS - 5)) code
    shift 2
    ((limit < left)) || limit=$left
    if ((limit < 5)); then
        echo "== $name: left out, no time" | tee "$work/$part/$name.txt"
        keep
        return 1
    fi
    echo "== $name begins at $SECONDS s, limit $limit s"
    timeout -k 5 "$limit" "$@" > "$work/$part/$name.txt" 2>&1
    code=$?
    echo "exit $code after $SECONDS s of the call" >> "$work/$part/$name.txt"
    echo "== $name: exit $code at $SECONDS s"
    tail -n "${TAIL:-12}" "$work/$part/$name.txt" | cut -c1-200
    keep
    return $code
}

# run NAME LIMIT MAIN ARGS..: a step in Java.
run() {
    local name=$1 limit=$2
    shift 2
    if bundled; then
        OUT=$work/log-$name step "$name" "$limit" bash -c "mkdir -p \"\$OUT\"; bash '$here/on-device.sh' \"\$@\"" - "$@"
        grep -q '^exit 0$' "$work/$part/$name.txt" # on-device.sh reports Java's code in its output
    else
        # shellcheck disable=SC2086
        step "$name" "$limit" "$java" -Xmx8g -Dorg.bytedeco.javacpp.maxbytes=64g -Djava.awt.headless=true $jopt \
            -cp "$cp" "$@"
    fi
}

peer() {
    step "$1" "$2" "$python" "$here/gpu_peer.py" --data "$DL4J_FUSE_DATA/fashion-mnist" --seconds "$seconds" \
        --out "$work/$part/$1.jsonl" "${@:3}"
}

cd "$work" || exit 1 # a test leaves a model in target/
main=io.github.dl4jfuse.tools.Main
tests=io.github.dl4jfuse.device.RunOnDevice
nvidia-smi --query-gpu=name,compute_cap,driver_version,memory.total --format=csv,noheader 2>/dev/null \
    | tee "$work/$part/device.txt" || echo "no GPU here"
keep
case $part-$size in
    A-full)
        if bundled; then
            run proof 150 proof mlp || { tail -n 60 "$work/$part/proof.txt"; exit 1; }
        fi
        run doctor 90 $main doctor --seconds 1 & doctor=$!
        run agreement 120 $tests inDouble inTheFormForGpus & agreement=$!
        run agreement-gpu 120 $tests inFloatOnAGpu savesOnAGpu twoRunsOnAGpu & more=$!
        run half 60 io.github.dl4jfuse.device.HalfOnDevice & half=$!
        for job in $doctor $agreement $more $half; do wait "$job" || failed=1; done
        cp "$work"/target/saved-on-gpu.zip "$work/$part/" 2> /dev/null
        run direction 120 $main gpu --sizes 1000000,10000000,100000000 --seconds 1 || failed=1
        ;;
    A-small)
        run doctor 90 $main doctor --seconds 0.3 || failed=1
        run agreement 60 $tests inDouble inTheFormForGpus || failed=1
        run half 30 io.github.dl4jfuse.device.HalfOnDevice || failed=1
        run direction 60 $main gpu --sizes 100000,1000000 --seconds 0.5 || failed=1
        ;;
    B-full | B-small)
        [[ $size == full ]] && rates=1e-3,3e-3,1e-2 whole=--full || rates=3e-3 whole=$([[ ${DL4J_FUSE_DATA:-} ]] && echo --full || echo --fast)
        compare() {
            # shellcheck disable=SC2086
            run "$1" "$2" $main compare --workloads "$3" --batch "$4" --optimizers adamw,preconditioned --rates $rates $whole --seeds 1 \
                --shares 1 --own-clock \
                --budget "${seconds}s" --out "$work/$part/$1"
        }
        compare compare-mlp 140 fashion-mlp 4096,512 || failed=1
        peer torch-mlp 80 --network mlp --batch 4096,512 --rates $rates || failed=1
        compare compare-cnn 80 fashion-cnn 512 || failed=1
        peer torch-cnn 60 --network cnn --batch 512 --rates $rates || failed=1
        ;;
    *)
        echo "Name the call, A or B, and optionally: small."
        exit 2
        ;;
esac
echo "== done at $SECONDS s; results in $out/results-$part.tar.gz"
exit $failed
