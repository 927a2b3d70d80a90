package io.github.dl4jfuse.tools.compare;

import io.github.dl4jfuse.datasets.DataSource;
import io.github.dl4jfuse.listener.GaussNewtonListener;
import io.github.dl4jfuse.network.Dl4jModel;
import io.github.dl4jfuse.network.Surroundings;
import io.github.dl4jfuse.network.jacobian.NetworkOutputs;
import io.github.dl4jfuse.network.jacobian.RankCheck;
import io.github.dl4jfuse.optim.gaussnewton.OutputLoss;
import io.github.dl4jfuse.optim.gaussnewton.OutputPath;
import java.util.LinkedHashMap;
import java.util.Map;
import org.deeplearning4j.nn.api.Model;
import org.nd4j.linalg.dataset.DataSet;

/** The geometry of the outputs at the checkpoints of a run, on the first training examples. */
final class GeometryCurves {

    /** Most equations; the eigenvalues of so many take a fraction of a second. */
    static final int ROWS = 200;

    private final DataSet sample;
    private final OutputPath path;
    private double loss;
    private int steps;

    /** Begins at a network that is not trained yet. */
    private GeometryCurves(Model network, OutputLoss.Local start, double[] goal, DataSet sample) {
        this.sample = sample;
        path = new OutputPath(start.coordinates(), goal);
        loss = start.value();
        steps = Dl4jModel.of(network).iteration();
    }

    /**
     * Begins at a network that is not trained yet; null if it makes no Gauss-Newton steps, or has a loss that is never taken on a
     * part of a batch, or too many outputs.
     */
    static GeometryCurves of(Model network, DataSource train) {
        if (Surroundings.listeners(network).stream().noneMatch(GaussNewtonListener.class::isInstance)) {
            return null;
        }
        long outputs = train.iterator(1).next().getLabels().size(1);
        DataSet sample = train.iterator((int) Math.max(1, ROWS / outputs)).next();
        NetworkOutputs model = new NetworkOutputs(network, sample);
        if (outputs > ROWS || (model.hasOwnGeometry() && sample.numExamples() < train.size())) {
            return null;
        }
        OutputLoss function = model.loss();
        return new GeometryCurves(network, function.at(model.outputs(model.start())), function.goal(), sample);
    }

    /** Returns numbers by name; none for a broken network. */
    Map<String, Double> at(Model network) {
        NetworkOutputs model = new NetworkOutputs(network, sample);
        OutputLoss.Local local = model.loss().at(model.outputs(model.start()));
        if (!Double.isFinite(local.value()) || Dl4jModel.of(network).iteration() == steps) {
            return Map.of();
        }
        double rate = Math.log(loss / local.value()) / (Dl4jModel.of(network).iteration() - steps);
        loss = local.value();
        steps = Dl4jModel.of(network).iteration();
        path.add(local.coordinates());
        double rank = RankCheck.of(network, sample).spectrum().numericalRank();
        Map<String, Double> numbers = new LinkedHashMap<>();
        numbers.put("rank, as a share of the equations", rank / model.rows());
        numbers.put("fall of the log of the loss in a step", rate);
        numbers.put("distance of the outputs from a straight path", path.relativeDeviation());
        return numbers;
    }
}
