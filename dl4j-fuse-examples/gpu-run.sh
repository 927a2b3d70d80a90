#!/usr/bin/env bash
# Everything that is to be measured on a GPU, in two parts of less than ten minutes each; see docs/gpu.md.
#   gpu-run.sh 1|2 [small]
# 1: doctor, agreement with the CPU, the L-BFGS direction.  2: compare against tuned Adam.
# CP holds the class path (default: what "mvn package" built, and core's test classes), JAVA the java command, and
# OUT the folder for results. "small" rehearses on a machine without a GPU. A step that fails does not stop the next, and the
# exit code is 1 then.
set -uo pipefail
part=${1:?1 or 2} size=${2:-full}
root=$(cd "$(dirname "$0")/.." && pwd)
java=${JAVA:-java} out=${OUT:-dl4j-fuse-report/gpu}
cp=${CP:-$root/dl4j-fuse-examples/target/dl4j-fuse-examples.jar:$root/dl4j-fuse-core/target/test-classes:$root/dl4j-fuse-examples/target/test-lib/*}
main=io.github.dl4jfuse.examples.Main
failed=0
mkdir -p "$out"

step() {
    local name=$1
    shift
    echo "== $name ($(date -u '+%Y-%m-%d %H:%M:%S') UTC)"
    "$java" -Xmx8g -Dorg.bytedeco.javacpp.maxbytes=64g -Djava.awt.headless=true -cp "$cp" "$@" 2>&1 | tee "$out/$name.txt"
    local code=${PIPESTATUS[0]}
    echo "exit $code"
    ((code == 0)) || failed=1
}

nvidia-smi --query-gpu=name,compute_cap,driver_version,memory.total --format=csv,noheader 2>/dev/null || echo "no GPU here"
case $part-$size in
    1-full)
        step doctor $main doctor
        step agreement io.github.dl4jfuse.device.RunOnDevice
        step direction $main gpu --sizes 1000000,10000000,100000000
        ;;
    1-small)
        step doctor $main doctor --seconds 0.5
        step agreement io.github.dl4jfuse.device.RunOnDevice
        step direction $main gpu --sizes 100000,1000000 --seconds 1
        ;;
    2-full)
        for batch in 128 1024 4096 8192; do
            step "compare-$batch" $main compare --workloads fashion-mlp,fashion-cnn --optimizers adam,adapted,fuse-pv \
                --batch $batch --full --seeds 1 --budget 2s --out "$out/compare-$batch"
        done
        ;;
    2-small)
        step compare-512 $main compare --workloads fashion-mlp --optimizers adam,fuse-pv --batch 512 --seeds 1 \
            --budget 4 --out "$out/compare-512"
        ;;
    *)
        echo "Name the part, 1 or 2, and optionally: small."
        exit 2
        ;;
esac
exit $failed
