package io.github.dl4jfuse.network.jacobian;

import io.github.dl4jfuse.network.NetworkParameter;
import io.github.dl4jfuse.optim.gaussnewton.OutputJacobian;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** D of any network: D' u by a backward pass, D v by a central difference of the outputs; see {@link NetworkOutputs}. */
final class MatrixFreeJacobian implements OutputJacobian {

    private final OutputEvaluation network;
    private final DataType type;
    private final INDArray point;
    private final double step;

    MatrixFreeJacobian(OutputEvaluation network, INDArray point) {
        this.network = network;
        this.point = point;
        type = network.dataType();
        double unit = type == DataType.DOUBLE ? Math.ulp(1.0) / 2 : Math.ulp(1f) / 2;
        double squares = Nd4j.getBlasWrapper().dot(point, point);
        step = Math.cbrt(unit) * (1 + Math.sqrt(squares / point.length()));
    }

    @Override
    public double[] push(INDArray v) {
        INDArray direction = onlyTrained(v);
        double length = Math.sqrt(Nd4j.getBlasWrapper().dot(direction, direction));
        if (length == 0) {
            return new double[network.examples() * network.outputs()];
        }
        double h = step / length;
        double[] ahead = network.outputs(point.add(direction.mul(h)));
        double[] behind = network.outputs(point.sub(direction.mul(h)));
        for (int i = 0; i < ahead.length; i++) {
            ahead[i] = (ahead[i] - behind[i]) / (2 * h);
        }
        return ahead;
    }

    private INDArray onlyTrained(INDArray v) {
        INDArray kept = Nd4j.zeros(v.dataType(), v.length());
        for (LayerNode stage : network.graph().stages()) {
            for (NetworkParameter parameter : stage.trained()) {
                parameter.slice(kept).assign(parameter.slice(v));
            }
        }
        return kept;
    }

    @Override
    public INDArray pull(double[] u) {
        return network.at(point, () -> {
            network.forward();
            INDArray target = Nd4j.zeros(type, point.length());
            network.initialiseGradients();
            int examples = network.examples();
            network.graph()
                    .backward(
                            JacobianBlock.column(u, type).reshape('c', examples, network.outputs()),
                            (stage, cotangents) -> stage.block(cotangents, examples)
                                    .pull(Nd4j.ones(type, cotangents.size(0), 1), target),
                            (stage, gradient) -> {
                                for (NetworkParameter parameter : stage.trained()) {
                                    INDArray values = parameter.values();
                                    parameter
                                            .slice(target)
                                            .reshape(values.ordering(), values.shape())
                                            .assign(gradient.getGradientFor(parameter.name()));
                                }
                            });
            return target;
        });
    }
}
