package io.github.dl4jfuse.examples;

import io.github.dl4jfuse.acceleration.Acceleration;
import io.github.dl4jfuse.datasets.Cifar10;
import io.github.dl4jfuse.listener.DL4JFuse;
import io.github.dl4jfuse.tools.machine.Launcher;
import io.github.dl4jfuse.updater.Preconditioned;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration.ListBuilder;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.weights.WeightInit;
import org.deeplearning4j.optimize.listeners.ScoreIterationListener;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A small convolutional network with BatchNorm on CIFAR-10, trained by Preconditioned. The images are looked for where
 * {@link Cifar10#full} says, and downloaded if they are nowhere.
 */
public class Cifar10CnnExample {

    private static final Logger log = LoggerFactory.getLogger(Cifar10CnnExample.class);

    public static void main(String[] args) {
        Launcher.startAgain(Cifar10CnnExample.class, args).ifPresent(System::exit); // for speed, see README
        Acceleration.enable();

        int batchSize = 128;
        int nEpochs = 6;
        long seed = 123;

        log.info("Load data....");
        DataSetIterator train = Cifar10.full().train().asImages().iterator(batchSize, seed);
        DataSetIterator test = Cifar10.full().test().asImages().iterator(batchSize);

        log.info("Build model....");
        ListBuilder layers = new NeuralNetConfiguration.Builder()
                .seed(seed)
                .updater(Preconditioned.adam().overEpochs(nEpochs)) // was: new Adam(1e-3)
                .weightInit(WeightInit.RELU)
                .activation(Activation.RELU)
                .list();
        for (int channels : new int[] {16, 32}) {
            layers.layer(new ConvolutionLayer.Builder(3, 3)
                    .nOut(channels)
                    .activation(Activation.IDENTITY)
                    .build());
            layers.layer(new BatchNormalization()).layer(new ActivationLayer(Activation.RELU));
            layers.layer(new SubsamplingLayer.Builder(new int[] {2, 2}, new int[] {2, 2}).build());
        }
        layers.layer(new DenseLayer.Builder().nOut(128).build())
                .layer(new OutputLayer.Builder(LossFunction.MCXENT)
                        .nOut(10)
                        .weightInit(WeightInit.XAVIER)
                        .activation(Activation.SOFTMAX)
                        .build())
                .setInputType(InputType.convolutional(32, 32, 3));
        MultiLayerNetwork model = new MultiLayerNetwork(layers.build());
        model.init();
        model.setListeners(new ScoreIterationListener(50));
        DL4JFuse.attach(model); // adds the listener that shows the layers' inputs to Preconditioned

        log.info("Train model....");
        model.fit(train, nEpochs);

        log.info("Evaluate model....");
        log.info("{}", model.evaluate(test).stats());
    }
}
