package io.github.dl4jfuse.updater;

import static org.nd4j.linalg.indexing.NDArrayIndex.interval;

import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Looks for NaN and infinity in a state that comes from elsewhere: one such number would spread to all parameters. */
final class FiniteState {

    private static final long CHUNK = 1 << 20;

    private FiniteState() {}

    /** Throws an IllegalStateException with a sentence if a number is NaN or infinite. */
    static void require(INDArray saved) {
        if (!isFinite(saved)) {
            throw damaged("has numbers that are NaN or infinite");
        }
    }

    /** Returns the exception for a state that cannot have been saved so. */
    static IllegalStateException damaged(String what) {
        return new IllegalStateException("The saved updater state " + what
                + ": the model was saved after bad data, or the file is damaged. Load it without its updater state"
                + " (ModelSerializer.restoreMultiLayerNetwork(file, false)), look whether the parameters are finite, and train"
                + " on from there.");
    }

    static boolean isFinite(INDArray saved) {
        INDArray flat = saved.reshape(saved.length());
        if (flat.length() == 0 || Double.isFinite(Nd4j.getBlasWrapper().dot(flat, flat))) {
            return true;
        }
        for (long from = 0; from < flat.length(); from += CHUNK) { // large numbers have squares that overflow
            INDArray some = flat.get(interval(from, Math.min(flat.length(), from + CHUNK)));
            INDArray zeros = some.mul(0); // NaN where it was not finite
            if (Nd4j.getBlasWrapper().dot(zeros, zeros) != 0) {
                return false;
            }
        }
        return true;
    }
}
