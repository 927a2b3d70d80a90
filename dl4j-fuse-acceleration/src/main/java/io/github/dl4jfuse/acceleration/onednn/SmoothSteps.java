package io.github.dl4jfuse.acceleration.onednn;

/**
 * Hyperbolic tangent and logistic function of many numbers, in arithmetic alone: several short loops, as the virtual machine makes vector
 * instructions of those, which take a tenth of the time of one long loop or of {@link Math#exp}.
 *
 * <p>Both come from tanh y = n / d, the continued fraction of Lambert cut at y⁷, for a small y: tanh 2y = 2 n d / (n² + d²), and e^2y =
 * (d + n) / (d - n). Far out they are exactly 1, -1 or 0, so that derivatives vanish there. The error of tanh is at most 6 units in the last place,
 * that of the logistic function 2e-7. NaN stays NaN.
 */
final class SmoothSteps {

    /** Where tanh is 1 in float. */
    private static final float TANH_LIMIT = 9.1f;

    /** What comes out there, the largest number below 1. */
    private static final float LARGEST = Math.nextDown(1f);

    /** Where the logistic function is 0 or 1 but for {@link #REST}. */
    private static final float LOGISTIC_LIMIT = 20;

    private static final float REST = 2.1e-9f; // a little more than 1 / (1 + e^20)
    private static final float TANH_PART = 1 / 4f; // of x is y: the formula for 2y is used twice
    private static final float LOGISTIC_PART = 1 / 8f; // e^2y is squared twice

    // 135135 + 17325 y² + 378 y⁴ + y⁶ and 135135 + 62370 y² + 3150 y⁴ + 28 y⁶, divided by the first number
    private static final float N1 = 17325 / 135135f;
    private static final float N2 = 378 / 135135f;
    private static final float N3 = 1 / 135135f;
    private static final float D1 = 62370 / 135135f;
    private static final float D2 = 3150 / 135135f;
    private static final float D3 = 28 / 135135f;

    private final float[] y;
    private final float[] n;
    private final float[] d;

    /** For arrays of a length. */
    SmoothSteps(int length) {
        y = new float[length];
        n = new float[length];
        d = new float[length];
    }

    /** Writes tanh of numbers, perhaps in their place. */
    void tanh(float[] numbers, float[] to) {
        scale(numbers, TANH_LIMIT, TANH_PART, y);
        divide(y, n, d);
        doubleTwice(n, d, to);
        scale(to, LARGEST, 1 / LARGEST, to);
    }

    /** Replaces numbers x by 1 / (1 + e^-x). */
    void logistic(float[] numbers) {
        scale(numbers, LOGISTIC_LIMIT, LOGISTIC_PART, y);
        divide(y, n, d);
        power(n, d, numbers);
        subtractRest(numbers);
    }

    private static void scale(float[] x, float limit, float part, float[] y) {
        for (int k = 0; k < y.length; k++) {
            y[k] = Math.max(-limit, Math.min(limit, x[k])) * part;
        }
    }

    private static void divide(float[] y, float[] n, float[] d) {
        for (int k = 0; k < y.length; k++) {
            float z = y[k] * y[k];
            n[k] = y[k] * (1 + z * (N1 + z * (N2 + z * N3)));
            d[k] = 1 + z * (D1 + z * (D2 + z * D3));
        }
    }

    private static void doubleTwice(float[] n, float[] d, float[] to) {
        for (int k = 0; k < n.length; k++) {
            float n2 = 2 * n[k] * d[k];
            float d2 = n[k] * n[k] + d[k] * d[k];
            to[k] = 2 * n2 * d2 / (n2 * n2 + d2 * d2);
        }
    }

    private static void power(float[] n, float[] d, float[] to) {
        for (int k = 0; k < n.length; k++) {
            float p = d[k] + n[k];
            float q = d[k] - n[k];
            p *= p;
            q *= q;
            p *= p;
            q *= q;
            to[k] = p / (p + q);
        }
    }

    private static void subtractRest(float[] numbers) {
        for (int k = 0; k < numbers.length; k++) {
            numbers[k] = Math.max(0f, numbers[k] - REST);
        }
    }
}
