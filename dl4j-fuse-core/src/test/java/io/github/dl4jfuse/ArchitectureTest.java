package io.github.dl4jfuse;

import static com.tngtech.archunit.core.domain.JavaCall.Predicates.target;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.assignableTo;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.type;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.nameMatching;
import static com.tngtech.archunit.core.domain.properties.HasOwner.Predicates.With.owner;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The arrows between packages run down: listener, network, updater, mathematics. */
@AnalyzeClasses(packages = "io.github.dl4jfuse", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {

    @ArchTest
    static final ArchRule ARROWS_RUN_DOWN = layeredArchitecture()
            .consideringOnlyDependenciesInLayers()
            .layer("listener")
            .definedBy("..listener..")
            .layer("network")
            .definedBy("..network..")
            .layer("updater")
            .definedBy("..updater..")
            .layer("acceleration")
            .definedBy("..acceleration..")
            .layer("mathematics")
            .definedBy(
                    "..objective..",
                    "..metric..",
                    "..geometry..",
                    "..lbfgs..",
                    "..saddle..",
                    "..search..",
                    "..smoothness..",
                    "..switching..")
            .whereLayer("listener")
            .mayNotBeAccessedByAnyLayer()
            .whereLayer("acceleration")
            .mayNotBeAccessedByAnyLayer()
            .whereLayer("network")
            .mayOnlyBeAccessedByLayers("listener")
            .whereLayer("updater")
            .mayOnlyBeAccessedByLayers("listener", "network");

    @ArchTest
    static final ArchRule ONLY_NETWORK_TOUCHES_DL4J_INTERNALS = noClasses()
            .that()
            .resideOutsideOfPackages("..network..", "..acceleration..")
            .should()
            .dependOnClassesThat(resideInAPackage("org.deeplearning4j..")
                    .and(resideInAPackage("org.deeplearning4j.optimize.api").negate())
                    .and(type(Model.class).negate())
                    .and(type(NeuralNetConfiguration.class).negate()))
            .because("what DL4J keeps to itself is touched in one room, and its helpers in another");

    @ArchTest
    static final ArchRule BELOW_THE_LISTENER_NO_DL4J = noClasses()
            .that()
            .resideInAnyPackage(
                    "..updater..",
                    "..objective..",
                    "..metric..",
                    "..geometry..",
                    "..lbfgs..",
                    "..saddle..",
                    "..search..",
                    "..smoothness..",
                    "..switching..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("org.deeplearning4j..");

    @ArchTest
    static final ArchRule SEARCHES_KNOW_NO_ARRAYS = noClasses()
            .that()
            .resideInAPackage("..search..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("org.nd4j..");

    /** On a GPU, an element of a view brings all the memory that it is part of to the host. */
    @ArchTest
    static final ArchRule NO_STEP_READS_OR_PUTS_SINGLE_ELEMENTS = noClasses()
            .that()
            .resideInAnyPackage("..updater..", "..lbfgs..", "..listener..")
            .and()
            .doNotHaveSimpleName("SavedNumbers")
            .should()
            .callMethodWhere(target(owner(assignableTo(INDArray.class)))
                    .and(target(
                            nameMatching("get(Double|Float|Int|Long|Number)|putScalar|to[A-Z]\\w*(Vector|Matrix)"))))
            .because("what is read in every step of training is read with one transfer, or mirrored in Java");

    @ArchTest
    static final ArchRule NO_CIRCLE =
            slices().matching("io.github.dl4jfuse.(*)..").should().beFreeOfCycles();
}
