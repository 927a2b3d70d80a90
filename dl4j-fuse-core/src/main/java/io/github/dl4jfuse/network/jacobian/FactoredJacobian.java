package io.github.dl4jfuse.network.jacobian;

import io.github.dl4jfuse.linalg.HostArrays;
import io.github.dl4jfuse.optim.gaussnewton.OutputJacobian;
import java.util.List;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** D of a network whose trained layers all have a formula, from the factors of each layer. */
final class FactoredJacobian implements OutputJacobian {

    private final List<JacobianBlock> blocks;
    private final int rows;
    private final long parameters;
    private final DataType type;

    FactoredJacobian(List<JacobianBlock> blocks, int rows, long parameters, DataType type) {
        this.blocks = blocks;
        this.rows = rows;
        this.parameters = parameters;
        this.type = type;
    }

    @Override
    public boolean hasGram() {
        return true;
    }

    @Override
    public double[] gram(int n) {
        double[] gram = new double[n * n];
        blocks.forEach(block -> block.addGram(gram, n));
        return gram;
    }

    @Override
    public double[] push(INDArray v) {
        INDArray image = Nd4j.zeros(type, rows, 1);
        blocks.forEach(block -> block.addPush(v, image));
        return HostArrays.of(image);
    }

    @Override
    public INDArray pull(double[] u) {
        INDArray target = Nd4j.zeros(type, parameters);
        INDArray column = JacobianBlock.column(u, type);
        blocks.forEach(block -> block.pull(column, target));
        return target;
    }

    @Override
    public INDArray jacobian(int n) {
        INDArray all = Nd4j.zeros(type, n, parameters);
        blocks.forEach(block -> block.fill(all));
        return all;
    }
}
