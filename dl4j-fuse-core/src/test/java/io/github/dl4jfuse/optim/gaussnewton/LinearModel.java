package io.github.dl4jfuse.optim.gaussnewton;

import java.util.Random;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** x = D θ + x₀ with a fixed D. */
final class LinearModel implements ResidualModel {

    final INDArray d;
    private final INDArray offset;
    private final int examples;

    LinearModel(INDArray d, double[] offset, int examples) {
        this.d = d;
        this.offset = Nd4j.createFromArray(offset);
        this.examples = examples;
    }

    static LinearModel random(int examples, int outputs, int parameters, long seed) {
        Random random = new Random(seed);
        int n = examples * outputs;
        double[] entries = random.doubles((long) n * parameters, -1, 1).toArray();
        return new LinearModel(
                Nd4j.createFromArray(entries).reshape(n, parameters),
                random.doubles(n, -1, 1).toArray(),
                examples);
    }

    @Override
    public long parameters() {
        return d.size(1);
    }

    @Override
    public int examples() {
        return examples;
    }

    @Override
    public int outputsPerExample() {
        return (int) d.size(0) / examples;
    }

    @Override
    public DataType dataType() {
        return DataType.DOUBLE;
    }

    @Override
    public INDArray start() {
        return Nd4j.zeros(DataType.DOUBLE, parameters());
    }

    @Override
    public double[] outputs(INDArray point) {
        return times(d, point).addi(offset).toDoubleVector();
    }

    private static INDArray times(INDArray matrix, INDArray vector) {
        return matrix.mmul(vector.reshape(vector.length(), 1)).reshape(matrix.size(0));
    }

    @Override
    public OutputJacobian linearise(INDArray point) {
        return new OutputJacobian() {
            @Override
            public double[] push(INDArray v) {
                return times(d, v).toDoubleVector();
            }

            @Override
            public INDArray pull(double[] u) {
                return times(d.transpose(), Nd4j.createFromArray(u));
            }
        };
    }
}
