package io.github.dl4jfuse.examples;

import io.github.dl4jfuse.acceleration.Acceleration;
import io.github.dl4jfuse.datasets.FashionMnist;
import io.github.dl4jfuse.listener.DL4JFuse;
import io.github.dl4jfuse.tools.machine.Launcher;
import io.github.dl4jfuse.updater.Preconditioned;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.weights.WeightInit;
import org.deeplearning4j.optimize.listeners.ScoreIterationListener;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A multilayer perceptron on the 6,000 Fashion-MNIST images that come with the examples, trained by Preconditioned. */
public class FashionMnistMlpExample {

    private static final Logger log = LoggerFactory.getLogger(FashionMnistMlpExample.class);

    public static void main(String[] args) {
        Launcher.startAgain(FashionMnistMlpExample.class, args).ifPresent(System::exit); // for speed, see README
        Acceleration.enable();

        int batchSize = 128;
        int nEpochs = 10;
        long seed = 123;

        log.info("Load data....");
        DataSetIterator train = FashionMnist.subset().train().asFlat().iterator(batchSize, seed);
        DataSetIterator test = FashionMnist.subset().test().asFlat().iterator(batchSize);

        log.info("Build model....");
        MultiLayerConfiguration conf = new NeuralNetConfiguration.Builder()
                .seed(seed)
                .updater(Preconditioned.adam().overEpochs(nEpochs)) // was: new Adam(1e-3)
                .weightInit(WeightInit.RELU)
                .activation(Activation.RELU)
                .list()
                .layer(new DenseLayer.Builder().nIn(28 * 28).nOut(256).build())
                .layer(new DenseLayer.Builder().nOut(128).build())
                .layer(new OutputLayer.Builder(LossFunction.MCXENT)
                        .nOut(10)
                        .weightInit(WeightInit.XAVIER)
                        .activation(Activation.SOFTMAX)
                        .build())
                .build();
        MultiLayerNetwork model = new MultiLayerNetwork(conf);
        model.init();
        model.setListeners(new ScoreIterationListener(50));
        DL4JFuse.attach(model); // adds the listener that shows the layers' inputs to Preconditioned

        log.info("Train model....");
        model.fit(train, nEpochs);

        log.info("Evaluate model....");
        log.info("{}", model.evaluate(test).stats());
    }
}
