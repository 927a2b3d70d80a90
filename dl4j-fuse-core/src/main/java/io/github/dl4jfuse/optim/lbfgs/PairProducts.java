package io.github.dl4jfuse.optim.lbfgs;

import io.github.dl4jfuse.linalg.BlockVectors;
import io.github.dl4jfuse.linalg.Chunks;
import io.github.dl4jfuse.linalg.DeviceSums;
import io.github.dl4jfuse.linalg.Reduction;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The products of one pair that decide on it.
 *
 * @param curvature s·y
 * @param stepSquared s·s
 * @param changeSquared y·y
 * @param stepBs s·Bs, NaN without B s
 */
record PairProducts(double curvature, double stepSquared, double changeSquared, double stepBs) {

    /** Computes them; B s may be null. */
    static PairProducts of(Reduction kernel, INDArray[] step, INDArray[] change, INDArray[] bs) {
        if (kernel == Reduction.MATRIX) {
            double[] all = DeviceSums.dots(kernel, new INDArray[][] {step, step, change, step}, new INDArray[][] {
                change, step, change, bs == null ? step : bs
            });
            return new PairProducts(all[0], all[1], all[2], bs == null ? Double.NaN : all[3]);
        }
        double stepBs = bs == null ? Double.NaN : BlockVectors.dot(step, bs);
        double curvature = 0;
        double stepSquared = 0;
        double changeSquared = 0;
        INDArray[] steps = Chunks.of(step);
        INDArray[] changes = Chunks.of(change);
        for (int c = 0; c < steps.length; c++) {
            curvature += dot(steps[c], changes[c]);
            stepSquared += dot(steps[c], steps[c]);
            changeSquared += dot(changes[c], changes[c]);
        }
        return new PairProducts(curvature, stepSquared, changeSquared, stepBs);
    }

    private static double dot(INDArray a, INDArray b) {
        return Nd4j.getBlasWrapper().level1().dot(a.length(), 1, a, b);
    }

    /** Returns whether the pair has more curvature than this share of |s||y|. */
    boolean exceed(double minCosine) {
        double lengths = Math.sqrt(stepSquared) * Math.sqrt(changeSquared);
        return Double.isFinite(lengths) && curvature > minCosine * lengths;
    }
}
